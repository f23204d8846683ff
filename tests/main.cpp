// Runs the tests on the instruction set that RILL_ISA names, or tells Meson that this CPU does not support it.
#include <gtest/gtest.h>

#include <iostream>
#include <stdexcept>

#include "autodiff/simd/kernels.hpp"

int main(int argc, char** argv) {
  constexpr int kSkipped = 77;
  testing::InitGoogleTest(&argc, argv);
  try {
    std::cout << "instruction set: " << rill::simd::kernels().name << std::endl;
  } catch (const std::invalid_argument& error) {
    std::cout << error.what() << std::endl;
    return kSkipped;
  }
  return RUN_ALL_TESTS();
}
