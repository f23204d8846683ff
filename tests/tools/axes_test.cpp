// Ticks, limits, and the frame of a plot.
#include "tools/plot/axes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/random.hpp"
#include "tools/plot/colormap.hpp"
#include "tools/plot/limits.hpp"
#include "tools/plot/scatter.hpp"
#include "tools/plot/ticks.hpp"

namespace rill::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<std::string> labels(const std::vector<Tick>& ticks) {
  std::vector<std::string> result;
  for (const Tick& tick : ticks) result.push_back(tick.label);
  return result;
}

std::vector<double> normal_points(int count, std::uint64_t seed) {
  std::vector<Real> points(static_cast<std::size_t>(2 * count));
  Generator(seed).normal(2 * count, points.data());
  return {points.begin(), points.end()};
}

TEST(Ticks, AreRoundNumbers) {
  EXPECT_THAT(labels(nice_ticks(-3.3, 3.3, 7)), ElementsAre("\u22123", "\u22122", "\u22121", "0", "1", "2", "3"));
  EXPECT_THAT(labels(nice_ticks(0, 1, 5)), ElementsAre("0.0", "0.2", "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(labels(nice_ticks(0.1, 0.31, 4)), ElementsAre("0.1", "0.2", "0.3"));
  EXPECT_THAT(labels(nice_ticks(-12000, 45000, 4)), ElementsAre("0", "20000", "40000"));
  EXPECT_THAT(labels(nice_ticks(0, 3e6, 3)), ElementsAre("0", "1e+06", "2e+06", "3e+06"));
  EXPECT_THAT(labels(nice_ticks(0, 5e-7, 5)), ElementsAre("0", "1e-07", "2e-07", "3e-07", "4e-07", "5e-07"));
  EXPECT_THAT(labels(log_ticks(1e-5, 20, 3)), ElementsAre("1e\u22125", "1e\u22123", "1e\u22121", "1e1"));
  EXPECT_THAT(labels(log_ticks(2.3, 4.2, 4)), ElementsAre("2.5", "3.0", "3.5", "4.0"));
  EXPECT_THAT(labels(powers_of_two(0.25, 2.1, 5)), ElementsAre("0.25", "0.5", "1", "2"));
  EXPECT_THAT(labels(powers_of_two(1024, 16384, 3)), ElementsAre("1024", "4096", "16384"));
  // Where neighboring doubles are further apart than ticks, there is an end all the same.
  EXPECT_LE(nice_ticks(1e20, std::nextafter(1e20, 1e21), 5).size(), 7u);
  EXPECT_THROW(nice_ticks(1, 1, 5), std::invalid_argument);
  EXPECT_THROW(nice_ticks(0, std::nan(""), 5), std::invalid_argument);
  EXPECT_THROW(log_ticks(0, 1, 5), std::invalid_argument);
}

TEST(Ticks, LieInsideAtEvenStepsOfOneTwoOrFive) {
  Generator rng(7);
  std::vector<Real> u(600);
  rng.uniform(600, u.data());
  for (std::size_t i = 0; i < u.size(); i += 3) {
    const double low = (u[i] - 0.5) * 100, high = low + std::pow(10, 8 * u[i + 1] - 4);
    const int most = 2 + static_cast<int>(u[i + 2] * 8);
    const std::vector<Tick> ticks = nice_ticks(low, high, most);
    ASSERT_LE(ticks.size(), static_cast<std::size_t>(most) + 1);
    if (ticks.size() < 2) continue;
    const double step = ticks[1].value - ticks[0].value, slack = 1e-6 * step;
    const double mantissa = step / std::pow(10, std::floor(std::log10(step * 1.0001)));
    EXPECT_TRUE(std::abs(mantissa - 1) < 1e-6 || std::abs(mantissa - 2) < 1e-6 || std::abs(mantissa - 5) < 1e-6)
        << mantissa;
    for (std::size_t k = 0; k < ticks.size(); ++k) {
      EXPECT_GE(ticks[k].value, low - slack);
      EXPECT_LE(ticks[k].value, high + slack);
      EXPECT_NEAR(ticks[k].value, ticks[0].value + static_cast<double>(k) * step, slack);
    }
    // No room for another at either end.
    EXPECT_LT(ticks.front().value - low, step);
    EXPECT_LT(high - ticks.back().value, step);
  }
}

TEST(Ticks, OfLargeOffsetsAreDifferences) {
  const OffsetTicks stamps = offset_ticks(1.7e9 - 45, 1.7e9 + 45, 5);
  EXPECT_EQ(stamps.offset, "+1.7e+09");
  EXPECT_THAT(labels(stamps.ticks), ElementsAre("\u221240", "\u221220", "0", "20", "40"));
  EXPECT_EQ(stamps.ticks.front().value, 1.7e9 - 40);
  EXPECT_EQ(offset_ticks(-1700001290.0, -1700001180.0, 5).offset, "\u22121700001000");
  EXPECT_EQ(offset_ticks(1e100 - 1e90, 1e100 + 1e90, 5).offset, "+1e+100");
  // Six digits are written out.
  EXPECT_EQ(offset_ticks(123400, 123409, 5).offset, "");
  EXPECT_THAT(labels(offset_ticks(0.1, 0.31, 4).ticks), ElementsAre("0.1", "0.2", "0.3"));
  for (const double center : {1.7e9, -1.7e9, 1e15, 1.23, 3e-5, 123456.789, 9.99999999e8}) {
    for (double spread = std::abs(center); spread > 1e-14 * std::abs(center); spread /= 3) {
      const double low = center - spread, high = center + spread;
      const OffsetTicks ticks = offset_ticks(low, high, 7);
      ASSERT_GE(ticks.ticks.size(), 2u) << center << " " << spread;
      std::vector<std::string> texts = labels(ticks.ticks);
      std::sort(texts.begin(), texts.end());
      EXPECT_EQ(std::adjacent_find(texts.begin(), texts.end()), texts.end()) << center << " " << spread;
      for (const Tick& tick : ticks.ticks) {
        EXPECT_LE(tick.label.size(), 14u) << tick.label;
        EXPECT_GE(tick.value, low - 0.1 * spread);
        EXPECT_LE(tick.value, high + 0.1 * spread);
      }
    }
  }
}

TEST(Ticks, OfTheLargestAndSmallestDoubles) {
  const double largest = std::numeric_limits<double>::max();
  EXPECT_THAT(labels(nice_ticks(-1.1e308, 1.1e308, 5)),
              ElementsAre("\u22121.0e+308", "\u22125.0e+307", "0", "5.0e+307", "1.0e+308"));
  for (const Tick& tick : nice_ticks(-largest, largest, 7)) EXPECT_TRUE(std::isfinite(tick.value));
  EXPECT_THROW(nice_ticks(-largest, largest, 1), std::invalid_argument);
  EXPECT_THROW(nice_ticks(0, 1e-310, 5), std::invalid_argument);
}

TEST(Limits, IgnoreOutliersAndBadNumbers) {
  std::vector<double> points = normal_points(5000, 1);
  const Limits clean = robust_limits(std::vector<std::span<const double>>{points});
  EXPECT_GT(clean.x_high, 3);
  EXPECT_LT(clean.x_high, 5);
  points.insert(points.end(), {1e30, 0, 0, -1e30, kNan, 50, 50, kInfinity});
  const Limits robust = robust_limits(std::vector<std::span<const double>>{points});
  // Two more points among 5,000 may move a quantile by one place.
  EXPECT_NEAR(robust.x_low, clean.x_low, 0.05);
  EXPECT_NEAR(robust.x_high, clean.x_high, 0.05);
  EXPECT_NEAR(robust.y_low, clean.y_low, 0.05);
  EXPECT_NEAR(robust.y_high, clean.y_high, 0.05);
}

TEST(Limits, ShowAllOfATidySetWithAMargin) {
  const std::vector<double> corners = {-3, -1, 3, 1, 0, 0};
  const Limits limits = robust_limits(std::vector<std::span<const double>>{corners});
  // 5 % of 6 and of 2.
  EXPECT_NEAR(limits.x_low, -3.3, 1e-6);
  EXPECT_NEAR(limits.x_high, 3.3, 1e-6);
  EXPECT_NEAR(limits.y_low, -1.1, 1e-6);
  EXPECT_NEAR(limits.y_high, 1.1, 1e-6);
}

TEST(Limits, DegenerateSetsGiveARange) {
  const std::vector<double> one = {4, 0}, bad = {kNan, kNan};
  for (const std::vector<double>& points : {one, bad, std::vector<double>{}}) {
    const Limits limits = robust_limits(std::vector<std::span<const double>>{points});
    EXPECT_LT(limits.x_low, limits.x_high);
    EXPECT_LT(limits.y_low, limits.y_high);
    const Panel panel{"", points, kBlue};
    EXPECT_GT(scatter({&panel, 1}).width, 0);
  }
  const std::vector<double> odd = {1, 2, 3};
  EXPECT_THAT([&] { robust_limits(std::vector<std::span<const double>>{odd}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("not 3 numbers")));
}

TEST(Limits, ShowACloudFarFromZero) {
  const std::vector<double> noise = normal_points(5000, 2);
  for (const double center : {1.7e9, -1e12, 1e15}) {
    std::vector<double> values;
    for (const double z : noise) values.push_back(center + z);
    const Range range = robust_range(values);
    EXPECT_LT(range.low, center - 2);
    EXPECT_GT(range.low, center - 6);
    EXPECT_GT(range.high, center + 2);
    EXPECT_LT(range.high, center + 6);
  }
}

TEST(Limits, OfAConstantAreItsUnitOrAFewRoundings) {
  for (const double value : {0.0, 4.0, -1.7e9, 1e12}) {
    const Range range = robust_range({value, value, value});
    EXPECT_EQ(range.low, value - 1);
    EXPECT_EQ(range.high, value + 1);
  }
  const Range coarse = robust_range({1e20, 1e20});
  EXPECT_LT(coarse.low, 1e20);
  EXPECT_GT(coarse.high, 1e20);
  EXPECT_LT(coarse.high - coarse.low, 1e6);
  EXPECT_GE(offset_ticks(coarse.low, coarse.high, 7).ticks.size(), 2u);
}

TEST(Limits, AreFiniteForAllFiniteNumbers) {
  const std::vector<double> points = {-1e308, 0, 1e308, 1e-310, 0, 0};
  const Limits limits = robust_limits(std::vector<std::span<const double>>{points});
  for (const double end : {limits.x_low, limits.x_high, limits.y_low, limits.y_high}) EXPECT_TRUE(std::isfinite(end));
  EXPECT_EQ(limits.x_share(0), 0.5);
  const Panel full{"", points, kBlue}, empty{"", {}, kBlue};
  const ScatterOptions options{.limits = limits, .equal_axes = false};
  EXPECT_NE(scatter({&full, 1}, options), scatter({&empty, 1}, options));
}

TEST(Axes, OffsetsAreWrittenBesideBothAxes) {
  const Limits limits{1.7e9 - 50, 1.7e9 + 50, -1e6 - 0.001, -1e6 + 0.001};
  const AxisTicks ticks = ticks_for(limits, 320, 7);
  EXPECT_EQ(ticks.x.offset, "+1.7e+09");
  EXPECT_EQ(ticks.y.offset, "\u22121e+06");
  EXPECT_GE(ticks.x.ticks.size(), 2u);
  const Margins margins = margins_for(limits, ticks, 320, false),
                plain = margins_for({-50, 50, -0.001, 0.001}, ticks_for({-50, 50, -0.001, 0.001}, 320, 7), 320, false);
  EXPECT_GT(margins.bottom, plain.bottom + 10);
  EXPECT_GT(margins.top, plain.top + 10);
  AxisTicks bare = ticks;
  bare.x.offset = bare.y.offset = "";
  const auto drawn = [&limits](const AxisTicks& marks) {
    Canvas canvas(300, 200);
    Axes(canvas, {100, 50, 200, 150}, limits, 1).frame(marks, true, true);
    return canvas.image();
  };
  const Image with = drawn(ticks), without = drawn(bare);
  int above = 0, below = 0;
  for (int i = 0; i < with.width * with.height; ++i) {
    if (with.rgb[static_cast<std::size_t>(3 * i)] == without.rgb[static_cast<std::size_t>(3 * i)]) continue;
    const int x = i % with.width, y = i / with.width;
    const bool is_above = x < 100 && y < 50, is_below = x < 200 && y > 165;
    EXPECT_TRUE(is_above || is_below) << x << " " << y;
    ++(is_above ? above : below);
  }
  EXPECT_GT(above, 20);
  EXPECT_GT(below, 20);
}

TEST(Axes, LongLabelsGetRoom) {
  const Limits limits{-4e-5, 4e-5, -1, 1};
  const AxisTicks ticks = ticks_for(limits, 320, 7);
  EXPECT_LT(ticks.x.ticks.size(), 8u);
  const Margins margins = margins_for(limits, ticks, 320, true),
                plain = margins_for({-3.3, 3.3, -1, 1}, ticks, 320, false);
  EXPECT_GT(margins.right, plain.right);
  EXPECT_GT(margins.gutter, plain.gutter);
  EXPECT_GT(margins.top, plain.top);
}

TEST(Axes, HeatMapsPutLowRowsBelowAndInterpolate) {
  const auto gray = [](double value) { return Color{value, value, value, 1}; };
  const std::vector<Real> values = {0, 1, 2, 3};  // bottom row 0 1, top row 2 3
  Canvas canvas(40, 40);
  const Axes axes(canvas, {10, 10, 30, 30}, {}, 1);
  axes.heat_map(values, 2, 2, 0, 3, gray);
  const Image image = canvas.image();
  const auto red = [&](int x, int y) {
    return static_cast<int>(image.rgb[static_cast<std::size_t>(3 * (y * 40 + x))]);
  };
  EXPECT_EQ(red(10, 29), 0);
  EXPECT_EQ(red(29, 29), 85);
  EXPECT_EQ(red(10, 10), 170);
  EXPECT_EQ(red(29, 10), 255);
  EXPECT_NEAR(red(20, 20), 127.5, 7);  // half a pixel off the middle: 255 / 3 / 20 across and twice that down
  EXPECT_EQ(red(9, 20), 255);
  EXPECT_EQ(red(20, 30), 255);
  EXPECT_THROW(axes.heat_map(values, 2, 3, 0, 1, gray), std::invalid_argument);
  EXPECT_THROW(axes.heat_map(values, 2, 2, 1, 1, viridis), std::invalid_argument);
}

TEST(Axes, LongTitlesAreMadeToFit) {
  Canvas canvas(300, 100);
  const Axes axes(canvas, {100, 50, 200, 90}, {}, 1);
  axes.title("A title that is much longer than its plot is wide");
  const Image image = canvas.image();
  int left = image.width, right = 0;
  for (int i = 0; i < image.width * image.height; ++i) {
    if (image.rgb[static_cast<std::size_t>(3 * i)] == 255) continue;
    left = std::min(left, i % image.width);
    right = std::max(right, i % image.width);
  }
  EXPECT_GE(left, 100);
  EXPECT_LT(right, 200);
  EXPECT_GT(right - left, 90);
}

}  // namespace
}  // namespace rill::tools
