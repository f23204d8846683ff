#include "nn/ahead.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

namespace rill::nn {
namespace {

TEST(Ahead, HandsOutResultsInOrder) {
  std::atomic<int> made{0};
  {
    Ahead<Index> ahead(
        [&](Index number) {
          ++made;
          if (number == 7) throw std::runtime_error("seven");
          return number * number;
        },
        3, 4);
    for (Index number = 3; number < 60; ++number) {
      if (number == 7) {
        EXPECT_THROW(ahead.take(), std::runtime_error);
      } else {
        EXPECT_EQ(ahead.take(), number * number);
      }
    }
  }
  EXPECT_LE(made, 57 + 8) << "at most two for each of the four threads beyond what was taken";
}

}  // namespace
}  // namespace rill::nn
