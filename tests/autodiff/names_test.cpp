#include "autodiff/names.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rill {
namespace {

const std::vector<std::string> kKnown = {"euler", "midpoint", "rk4", "adam", "adamw", "x"};

TEST(Names, ThatAreNearAreSuggested) {
  const auto suggested = [](const char* name) { return did_you_mean(name, kKnown); };
  EXPECT_EQ(suggested("eulr"), " (did you mean euler?)");
  EXPECT_EQ(suggested("eulre"), " (did you mean euler?)");
  EXPECT_EQ(suggested("mid-piont"), " (did you mean midpoint?)");
  EXPECT_EQ(suggested("rk5"), " (did you mean rk4?)");
  EXPECT_EQ(suggested("adamx"), " (did you mean adam?)");  // the first of the nearest
  for (const char* far : {"", "y", "rk", "heun", "eulerian-midpoint"}) {
    EXPECT_EQ(suggested(far), far == std::string("rk") ? " (did you mean rk4?)" : "") << far;
  }
  EXPECT_EQ(did_you_mean("--count", {"--count"}), "");  // it is not known where it stands
  EXPECT_EQ(did_you_mean(std::string(100000, 'a'), kKnown), "");
  EXPECT_EQ(did_you_mean("a", {}), "");
}

TEST(Names, ThatAreUnknownListTheKnownOnes) {
  EXPECT_EQ(unknown_name("solver", "eulr", {"euler", "rk4"}),
            "unknown solver 'eulr' (did you mean euler?); known: euler, rk4");
  EXPECT_EQ(unknown_name("solver", "heun", {"euler", "rk4"}), "unknown solver 'heun'; known: euler, rk4");
}

}  // namespace
}  // namespace rill
