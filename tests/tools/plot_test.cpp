// Scatter plots, animations, image grids and line charts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/random.hpp"
#include "tools/plot/image_grid.hpp"
#include "tools/plot/line_chart.hpp"
#include "tools/plot/scatter.hpp"

namespace rill::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr Real kNan = std::numeric_limits<Real>::quiet_NaN();

std::vector<double> normal_points(int count, std::uint64_t seed) {
  std::vector<Real> points(static_cast<std::size_t>(2 * count));
  Generator(seed).normal(2 * count, points.data());
  return {points.begin(), points.end()};
}

bool is_color(const Image& image, int x, int y, const Color& color, int tolerance) {
  const std::uint8_t* rgb = &image.rgb[static_cast<std::size_t>(3 * (y * image.width + x))];
  return std::abs(rgb[0] - 255 * color.red) <= tolerance && std::abs(rgb[1] - 255 * color.green) <= tolerance &&
         std::abs(rgb[2] - 255 * color.blue) <= tolerance;
}

TEST(Scatter, ACircleIsACircleAtItsPlace) {
  constexpr Color kGreen = Color::hex(0x00ff00), kPink = Color::hex(0xff00ff);
  std::vector<double> circle;
  for (int i = 0; i < 400; ++i) {
    const double angle = i * std::acos(-1.0) / 200;
    circle.push_back(std::cos(angle));
    circle.push_back(std::sin(angle));
  }
  // Colors that no label has, however blended. Wide limits: the plot is not square, the circle is.
  const Panel panels[] = {{"Left", circle, kGreen}, {"Right", circle, kPink}};
  const Image image = scatter(panels, {.limits = Limits{-4, 4, -2.5, 2.5}});
  std::vector<int> widths;
  for (const Color& color : {kGreen, kPink}) {
    int left = image.width, right = 0, top = image.height, bottom = 0;
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        if (!is_color(image, x, y, color, 60)) continue;
        left = std::min(left, x);
        right = std::max(right, x);
        top = std::min(top, y);
        bottom = std::max(bottom, y);
      }
    }
    ASSERT_LT(left, right);
    EXPECT_NEAR(right - left, bottom - top, 1);
    // Diameter 2 of 8 units on 640 pixels, and a disc's radius of 4.4 on either side.
    EXPECT_NEAR(right - left, 160 + 8.8, 2);
    widths.push_back(right - left);
  }
  EXPECT_EQ(widths[0], widths[1]);
}

// An age and an income: at one scale these points would be a line, a pixel wide.
TEST(Scatter, AxesOfTheirOwnShowColumnsOfUnlikeScale) {
  constexpr Color kGreen = Color::hex(0x00ff00);
  std::vector<double> points;
  for (int age = 20; age <= 80; ++age) {
    for (int income = 0; income < 60; ++income) points.insert(points.end(), {double(age), 20000. + 1000 * income});
  }
  const Panel panel{"", points, kGreen};
  for (const bool equal : {false, true}) {
    const Image image = scatter({&panel, 1}, {.limits = {}, .equal_axes = equal});
    int left = image.width, right = 0, top = image.height, bottom = 0;
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        const std::uint8_t* rgb = &image.rgb[static_cast<std::size_t>(3 * (y * image.width + x))];
        if (rgb[1] < rgb[0] + 40) continue;  // greenish
        left = std::min(left, x);
        right = std::max(right, x);
        top = std::min(top, y);
        bottom = std::max(bottom, y);
      }
    }
    if (equal) {
      EXPECT_LT(right - left, 20);
    } else {
      EXPECT_NEAR(right - left, 640 / 1.1, 15);  // but for the margins of 5 %
      EXPECT_NEAR(bottom - top, 640 / 1.1, 15);
    }
  }
}

TEST(Scatter, NothingIsDrawnOutsideTheFrames) {
  // With dense points far beyond the limits, everything outside the frame is the same as without any points.
  std::vector<double> points = normal_points(2000, 3);
  for (double& value : points) value *= 5;
  points.insert(points.end(), {std::nan(""), 0, HUGE_VAL, 0, 1e30, -1e30});
  const Limits limits{-1, 1, -1, 1};
  const Panel full{"", points, kBlue}, empty{"", {}, kBlue};
  const Image a = scatter({&full, 1}, {.limits = limits}), b = scatter({&empty, 1}, {.limits = limits});
  ASSERT_EQ(a.width, b.width);
  ASSERT_EQ(a.height, b.height);
  int left = a.width, right = 0, top = a.height, bottom = 0;
  for (int y = 0; y < a.height; ++y) {
    for (int x = 0; x < a.width; ++x) {
      const auto i = static_cast<std::size_t>(3 * (y * a.width + x));
      if (std::equal(&a.rgb[i], &a.rgb[i] + 3, &b.rgb[i])) continue;
      left = std::min(left, x);
      right = std::max(right, x);
      top = std::min(top, y);
      bottom = std::max(bottom, y);
    }
  }
  EXPECT_LT(right - left, 640);  // the frame's inside
  EXPECT_LT(bottom - top, 640);
  EXPECT_GT(right - left, 600);
}

TEST(Scatter, TheEdgesOfThePictureStayWhite) {
  const std::vector<double> points = normal_points(3000, 4);
  const Panel panels[] = {{"Title of the first", points, kBlue}, {"Samples gypq", points, kOrange}};
  for (const double stretch : {1.0, 1e-4, 1e7}) {
    const ScatterOptions options{.limits = Limits{-4 * stretch, 4 * stretch, -4 * stretch, 4 * stretch}};
    const Image image = scatter(panels, options);
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        const bool inside = x >= 12 && y >= 12 && x < image.width - 12 && y < image.height - 12;
        ASSERT_TRUE(inside || is_color(image, x, y, kWhite, 0)) << x << " " << y << " " << stretch;
      }
    }
  }
}

TEST(Scatter, DotsGetFainterWithTheirNumber) {
  EXPECT_EQ(dots_for(10, 1).radius, dots_for(500, 1).radius);
  EXPECT_GT(dots_for(500, 1).radius, dots_for(10000, 1).radius);
  EXPECT_GT(dots_for(500, 1).opacity, dots_for(10000, 1).opacity);
  EXPECT_EQ(dots_for(10000, 2).radius, 2 * dots_for(10000, 1).radius);
}

TEST(Scatter, Misuse) {
  const std::vector<double> points = {0, 0, 1};
  const Panel odd{"", points, kBlue}, empty{"", {}, kBlue};
  EXPECT_THROW(scatter({}), std::invalid_argument);
  EXPECT_THROW(scatter({&odd, 1}), std::invalid_argument);
  EXPECT_THROW(scatter({&empty, 1}, {.limits = Limits{1, 1, 0, 1}}), std::invalid_argument);
  EXPECT_THROW(scatter({&empty, 1}, {.limits = Limits{0, std::nan(""), 0, 1}}), std::invalid_argument);
  const double time = 0;
  EXPECT_THROW(scatter_film({}, {&time, 1}, kBlue), std::invalid_argument);
}

TEST(Film, HasFixedAxesAndChangingLabels) {
  const std::vector<double> near = normal_points(100, 1), none;
  std::vector<double> far = near;
  for (double& value : far) value *= 10;
  const std::vector<std::span<const double>> states = {near, far, none, none};
  const std::vector<double> times = {0, 1, 0.25, 0.25};
  const std::vector<Image> frames = scatter_film(states, times, kBlue);
  ASSERT_EQ(frames.size(), 4u);
  for (const Image& frame : frames) {
    EXPECT_EQ(frame.width, frames[0].width);
    EXPECT_EQ(frame.height, frames[0].height);
    // The rows of the tick labels are the same in all.
    const std::size_t tail = 3 * static_cast<std::size_t>(frame.width) * 40;
    EXPECT_TRUE(std::equal(frame.rgb.end() - static_cast<std::ptrdiff_t>(tail), frame.rgb.end(),
                           frames[0].rgb.end() - static_cast<std::ptrdiff_t>(tail)));
  }
  EXPECT_EQ(frames[2], frames[3]);
  const std::vector<double> other = {0, 1, 0.26, 0.25};
  EXPECT_NE(scatter_film(states, other, kBlue)[2], frames[2]);
}

TEST(ImageGrid, PlacesGraysInRowsAndColumns) {
  // Three 1 x 2 images in two columns, two pixels for each.
  const std::vector<Real> pixels = {-1, 1, 0, Real(0.5), 5, kNan};
  const Image image = image_grid(pixels, 1, 2, {.columns = 2, .zoom = 2, .row_labels = {}});
  const int margin = 16, gap = 4;
  ASSERT_EQ(image.width, 2 * margin + 2 * 4 + gap);
  ASSERT_EQ(image.height, 2 * margin + 2 * 2 + gap);
  const auto gray = [&](int x, int y) {
    return static_cast<int>(image.rgb[static_cast<std::size_t>(3 * (y * image.width + x))]);
  };
  EXPECT_EQ(gray(margin, margin), 0);
  EXPECT_EQ(gray(margin + 1, margin + 1), 0);
  EXPECT_EQ(gray(margin + 2, margin), 255);
  EXPECT_EQ(gray(margin + 4 + gap, margin), 128);
  EXPECT_EQ(gray(margin + 4 + gap + 3, margin + 1), 191);
  const int second = margin + 2 + gap;
  EXPECT_EQ(gray(margin, second), 255);  // clipped
  EXPECT_TRUE(is_color(image, margin + 2, second, kOrange, 1));
  EXPECT_TRUE(is_color(image, margin + 4 + gap, second, kWhite, 0));  // no fourth image
}

TEST(ImageGrid, LabelsTakeRoomOnTheLeftOnly) {
  const std::vector<Real> pixels(6 * 28 * 28, Real(0));
  const std::vector<std::string> names = {"Ankle boot", "Bag"};
  const Image plain = image_grid(pixels, 28, 28, {.columns = 3, .zoom = 3, .row_labels = {}});
  const Image labeled = image_grid(pixels, 28, 28, {.columns = 3, .zoom = 3, .row_labels = names});
  EXPECT_EQ(plain.height, labeled.height);
  ASSERT_GT(labeled.width, plain.width + 50);
  for (int y = 0; y < plain.height; ++y) {
    const auto end = [y](const Image& image) { return image.rgb.begin() + 3 * (y + 1) * image.width; };
    const int shared = 3 * (plain.width - 24);  // all but the margin
    ASSERT_TRUE(std::equal(end(plain) - shared, end(plain), end(labeled) - shared)) << y;
    // The outermost columns stay white: no label is cut off.
    ASSERT_TRUE(is_color(labeled, 0, y, kWhite, 0));
  }
}

TEST(ImageGrid, Misuse) {
  const std::vector<Real> pixels(10);
  const std::vector<std::string> names = {"a", "b", "c"};
  EXPECT_THAT([&] { image_grid(pixels, 2, 2); }, ThrowsMessage<std::invalid_argument>(HasSubstr("2 x 2")));
  EXPECT_THROW(image_grid({}, 2, 2), std::invalid_argument);
  EXPECT_THROW(image_grid(pixels, 1, 5, {.columns = 2, .zoom = 1, .row_labels = names}), std::invalid_argument);
  EXPECT_THROW(image_grid(pixels, 1, 5, {.columns = 0, .zoom = 1, .row_labels = {}}), std::invalid_argument);
}

TEST(LineChart, FollowsTheDataAndBreaksWhereItIsMissing) {
  constexpr Color kGreen = Color::hex(0x00ff00);
  Series line{"", {}, kGreen};
  for (int step = 0; step <= 100; ++step) line.points.push_back({static_cast<double>(step), 3.0 * step});
  for (int step = 40; step <= 60; ++step) line.points[static_cast<std::size_t>(step)].y = std::nan("");
  const Image image = line_chart({&line, 1});
  // Height of the line above the lowest row that has any, by column; -1 where there is none.
  std::vector<int> height(static_cast<std::size_t>(image.width), -1);
  for (int y = image.height - 1; y >= 0; --y) {
    for (int x = 0; x < image.width; ++x) {
      if (is_color(image, x, y, kGreen, 40)) height[static_cast<std::size_t>(x)] = image.height - y;
    }
  }
  const auto drawn = [](int h) { return h >= 0; };
  const auto first = std::find_if(height.begin(), height.end(), drawn);
  const auto gap = std::find(first, height.end(), -1);
  const auto again = std::find_if(gap, height.end(), drawn);
  const auto end = std::find(again, height.end(), -1);
  // 39, 22 and 39 of 100 steps on 880 pixels, with round ends.
  EXPECT_NEAR(static_cast<double>(gap - first), 343, 4);
  EXPECT_NEAR(static_cast<double>(again - gap), 194, 4);
  EXPECT_NEAR(static_cast<double>(end - again), 343, 4);
  // Straight: halfway in x is halfway in y.
  EXPECT_NEAR(first[170], (first[10] + first[330]) / 2.0, 2);
}

TEST(LineChart, LogarithmsMakePowersStraightAndSkipWhatHasNone) {
  constexpr Color kGreen = Color::hex(0x00ff00);
  Series line{"", {}, kGreen};
  for (int step = 0; step <= 60; ++step) line.points.push_back({static_cast<double>(step), std::pow(10, -step / 10.0)});
  line.points.push_back({61, 0});
  line.points.push_back({62, -1});
  const Image image = line_chart({&line, 1}, {.title = "Loss", .x_label = "step", .log_y = true});
  std::vector<Point> seen;
  for (int x = 0; x < image.width; ++x) {
    for (int y = 0; y < image.height; ++y) {
      if (!is_color(image, x, y, kGreen, 40)) continue;
      seen.push_back({static_cast<double>(x), static_cast<double>(y)});
      break;
    }
  }
  ASSERT_GT(seen.size(), 400u);
  const Point a = seen[10], b = seen[seen.size() - 10], middle = seen[seen.size() / 2];
  EXPECT_NEAR((middle.y - a.y) / (b.y - a.y), (middle.x - a.x) / (b.x - a.x), 0.01);
}

TEST(LineChart, PowersOfTwoAreEvenlySpaced) {
  constexpr Color kGreen = Color::hex(0x00ff00);
  Series line{"", {{0, 1}}, kGreen};  // no logarithm, no point
  for (int k = 0; k <= 6; ++k) line.points.push_back({std::exp2(k), k % 2 == 0 ? 0.0 : 1.0});
  const Image image = line_chart({&line, 1}, {.title = "", .x_label = "", .log2_x = true});
  // Where the line reaches half its height: once between any two powers.
  std::vector<int> crossings;
  for (int x = 1; x < image.width; ++x) {
    const int middle = 2 * 14 + 520 / 2;  // the margin and half the frame, at two pixels to a unit
    if (is_color(image, x, middle, kGreen, 120) && !is_color(image, x - 1, middle, kGreen, 120)) crossings.push_back(x);
  }
  ASSERT_EQ(crossings.size(), 6u);
  for (std::size_t i = 1; i < 6; ++i) EXPECT_NEAR(crossings[i] - crossings[i - 1], 880 / 6.0, 3);
}

TEST(LineChart, NamesBesideTheFrameHideNothing) {
  constexpr Color kGreen = Color::hex(0x00ff00);
  const Series line{"a name", {{0, 0}, {1, 1}}, kGreen};
  const auto area = [&](const Image& image) {
    int pixels = 0;
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) pixels += is_color(image, x, y, kGreen, 40);
    }
    return pixels;
  };
  const Image inside = line_chart({&line, 1}),
              beside = line_chart({&line, 1}, {.title = "", .x_label = "", .names_beside = true});
  EXPECT_GT(beside.width, inside.width + 50);
  EXPECT_GT(area(beside), area(inside) + 100);  // the end of the line, faint below the names otherwise
}

TEST(LineChart, DegenerateSeriesAndMisuse) {
  const Series empty{"empty", {}, kBlue}, one{"one", {{3, 4}}, kOrange}, bad{"bad", {{std::nan(""), 1}}, kTeal};
  for (const bool log_y : {false, true}) {
    for (const Series& series : {empty, one, bad}) {
      EXPECT_GT(line_chart({&series, 1}, {.title = "", .x_label = "", .log_y = log_y}).width, 0);
    }
  }
  EXPECT_THROW(line_chart({}), std::invalid_argument);
  EXPECT_THROW(line_chart({&one, 1}, {.title = "", .x_label = "", .log_y = false, .width = -1}), std::invalid_argument);
}

}  // namespace
}  // namespace rill::tools
