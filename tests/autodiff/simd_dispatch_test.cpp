// The available kernels, and which of them are used.
#include <cstdlib>
#include <set>
#include <string>

#include "tests/autodiff/simd_testing.hpp"

namespace rill::simd {
namespace {

TEST(SimdDispatch, ScalarComesFirstAndNamesDiffer) {
  std::set<std::string> names;
  int lanes = 0;
  for (const Kernels* kernels : available_kernels()) {
    EXPECT_TRUE(names.insert(kernels->name).second) << kernels->name;
    EXPECT_GE(kernels->lanes, lanes) << kernels->name << " comes after a wider set";
    lanes = kernels->lanes;
  }
  EXPECT_EQ(std::string(reference().name), "scalar");
  EXPECT_EQ(reference().lanes, 1);
}

TEST(SimdDispatch, TheEnvironmentDecidesAndOtherwiseTheBestSetRuns) {
  const char* wanted = std::getenv("RILL_ISA");
  const KernelList all = available_kernels();
  EXPECT_EQ(std::string(kernels().name), wanted && *wanted ? wanted : (*(all.end() - 1))->name);
  EXPECT_EQ(&kernels(), &kernels());
}

TEST(SimdDispatch, NoEntryOfAnyTableIsMissing) {
  // All members after the first two are pointers to functions.
  for (const Kernels* kernels : available_kernels()) {
    const auto* entry = reinterpret_cast<void (*const*)()>(&kernels->exp);
    const auto* end = reinterpret_cast<void (*const*)()>(kernels + 1);
    for (; entry != end; ++entry) EXPECT_NE(*entry, nullptr) << kernels->name;
  }
}

}  // namespace
}  // namespace rill::simd
