// Progress as a line of text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tools/cli/pace.hpp"
#include "tools/cli/status_line.hpp"

namespace rill::tools {
namespace {

TEST(Fitted, LeavesOutTheLeastImportantFields) {
  const std::vector<std::string> fields = {"step 7", "loss 0.5", "rate 1"};
  EXPECT_EQ(fitted(fields, 24), "step 7  loss 0.5  rate 1");
  EXPECT_EQ(fitted(fields, 23), "step 7  loss 0.5");
  EXPECT_EQ(fitted(fields, 15), "step 7");
  EXPECT_EQ(fitted(fields, 4), "step");
  EXPECT_EQ(fitted({}, 4), "");
}

TEST(Pace, IsTheMeanAtFirst) {
  Pace pace;
  EXPECT_EQ(pace.seconds_per_unit(), 0);
  pace.add(10, 1);
  EXPECT_DOUBLE_EQ(pace.seconds_per_unit(), 0.1);
  pace.add(10, 3);
  EXPECT_NEAR(pace.seconds_per_unit(), 0.2, 0.01);
}

TEST(Pace, DoesNotJump) {
  Pace pace;
  double before = 0;
  for (int line = 0; line < 200; ++line) {
    pace.add(line % 4 == 0 ? 3 : 30, 0.2);  // every fourth interval is a busy one, with a tenth of the steps
    const double now = pace.seconds_per_unit();
    if (line >= 20) {
      EXPECT_LT(std::abs(now - before), 0.05 * before) << line;
    }
    before = now;
  }
}

TEST(Pace, FollowsALastingChange) {
  Pace pace;
  for (int line = 0; line < 100; ++line) pace.add(100, 1);
  for (int line = 0; line < 100; ++line) pace.add(10, 1);
  EXPECT_NEAR(pace.seconds_per_unit(), 0.1, 0.05);
}

}  // namespace
}  // namespace rill::tools
