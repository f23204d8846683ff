// Drawing on a canvas: coverage, blending, clipping, text and colors.
#include "tools/plot/canvas.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "tools/plot/colormap.hpp"
#include "tools/plot/font.hpp"

namespace rill::tools {
namespace {

constexpr Color kBlack = Color::hex(0);

int red_at(const Image& image, int x, int y) { return image.rgb[static_cast<std::size_t>(3 * (y * image.width + x))]; }

// The amount of black ink, in pixels.
double ink(const Image& image) {
  double sum = 0;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) sum += (255 - image.rgb[i]) / 255.0;
  return sum;
}

struct InkBox {
  int left = std::numeric_limits<int>::max(), top = left, right = -1, bottom = -1;
};

InkBox ink_box(const Image& image) {
  InkBox box;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      if (red_at(image, x, y) == 255) continue;
      box.left = std::min(box.left, x);
      box.top = std::min(box.top, y);
      box.right = std::max(box.right, x + 1);
      box.bottom = std::max(box.bottom, y + 1);
    }
  }
  return box;
}

TEST(Canvas, RectanglesCoverPixelsInProportion) {
  Canvas canvas(8, 8);
  canvas.rectangle({1.5, 2, 4.25, 4}, kBlack);
  const Image image = canvas.image();
  EXPECT_EQ(red_at(image, 0, 2), 255);
  EXPECT_EQ(red_at(image, 1, 2), 128);  // half covered
  EXPECT_EQ(red_at(image, 2, 3), 0);
  EXPECT_EQ(red_at(image, 4, 3), 191);  // a quarter covered
  EXPECT_EQ(red_at(image, 3, 4), 255);
  // 2.75 x 2 pixels, each rounded to 1/255.
  EXPECT_NEAR(ink(image), 5.5, 0.05);
}

TEST(Canvas, DiscsAndLinesHaveTheRightArea) {
  // Coverage by distance to the edge is exact for straight edges; the error of a disk's area decreases with its radius.
  for (const double radius : {1.5, 3.0, 10.0}) {
    Canvas canvas(40, 40);
    canvas.disc({20.3, 19.6}, radius, kBlack);
    EXPECT_NEAR(ink(canvas.image()) / (std::acos(-1.0) * radius * radius), 1, 0.05 / radius) << radius;
  }
  Canvas canvas(60, 60);
  canvas.line({10, 12}, {46, 39}, 4, kBlack);  // 45 long, with two half discs as ends
  EXPECT_NEAR(ink(canvas.image()), 45 * 4 + std::acos(-1.0) * 4, 2.5);
}

TEST(Canvas, OpacityBlendsAndFaintLayersAddUp) {
  Canvas canvas(3, 1);
  canvas.rectangle({0, 0, 1, 1}, kBlack.with_opacity(0.5));
  for (int i = 0; i < 1000; ++i) canvas.rectangle({1, 0, 2, 1}, kBlack.with_opacity(0.001));
  const Image image = canvas.image();
  EXPECT_EQ(red_at(image, 0, 0), 128);
  EXPECT_EQ(red_at(image, 1, 0), std::lround(255 * std::pow(0.999, 1000)));
  EXPECT_EQ(red_at(image, 2, 0), 255);
}

TEST(Canvas, APathCountsItsCrossingsOnce) {
  Canvas canvas(20, 20);
  const Point bow_tie[] = {{2, 2}, {18, 18}, {2, 18}, {18, 2}};
  canvas.path(bow_tie, 2, kBlack.with_opacity(0.5));
  const Image image = canvas.image();
  EXPECT_EQ(red_at(image, 10, 10), 128);
  EXPECT_EQ(*std::min_element(image.rgb.begin(), image.rgb.end()), 128);
}

TEST(Canvas, ClippingAndShapesOutside) {
  Canvas canvas(10, 10);
  canvas.clip({2.5, 3, 8, 7.9});
  canvas.disc({5, 5}, 100, kBlack);
  canvas.reset_clip();
  const InkBox box = ink_box(canvas.image());
  EXPECT_EQ(box.left, 3);
  EXPECT_EQ(box.top, 3);
  EXPECT_EQ(box.right, 8);
  EXPECT_EQ(box.bottom, 7);

  const Image before = canvas.image();
  const double far = 1e300, infinite = std::numeric_limits<double>::infinity(), nan = std::nan("");
  canvas.disc({-50, 5}, 3, kOrange);
  canvas.disc({far, -far}, 3, kOrange);
  canvas.disc({nan, 5}, 3, kOrange);
  canvas.line({far, far}, {far, infinite}, 2, kOrange);
  canvas.rectangle({20, 20, 30, 30}, kOrange);
  canvas.text({500, 500}, "off", {});
  EXPECT_EQ(canvas.image(), before);
  EXPECT_THROW(Canvas(0, 10), std::invalid_argument);
  EXPECT_THROW(Canvas(10, 40000), std::invalid_argument);
}

TEST(Font, EveryCharacterLiesInItsMeasuredBox) {
  const double size = 60;
  const Point start = {40, 80};
  std::string all;
  for (char c = ' '; c <= '~'; ++c) {
    all += c;
    const std::string text(1, c);
    Canvas canvas(140, 120);
    canvas.text(start, text, {size, kBlack});
    const InkBox box = ink_box(canvas.image());
    if (c == ' ') {
      EXPECT_EQ(box.right, -1);
      continue;
    }
    ASSERT_GT(box.right, box.left) << c;
    EXPECT_GE(box.left, std::floor(start.x)) << c;
    EXPECT_LE(box.right, std::ceil(start.x + text_width(text, size))) << c;
    EXPECT_GE(box.top, std::floor(start.y - kAscent * size)) << c;
    EXPECT_LE(box.bottom, std::ceil(start.y + kDescent * size)) << c;
  }
  EXPECT_GT(text_width(all, 12), 12 * 0.3 * static_cast<double>(all.size()));
  EXPECT_DOUBLE_EQ(text_width(all, 24), 2 * text_width(all, 12));
}

TEST(Font, EveryCharacterHasAShapeOfItsOwn) {
  std::vector<std::string> characters = {"\u2212", "\u00d7", "\u2603"};  // the snowman stands for all without a glyph
  for (char c = '!'; c <= '~'; ++c) characters.emplace_back(1, c);
  std::vector<Image> drawn;
  for (const std::string& text : characters) {
    Canvas canvas(60, 60);
    canvas.text({10, 40}, text, {40, kBlack});
    drawn.push_back(canvas.image());
  }
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(drawn[i], drawn[j]) << characters[i] << " " << characters[j];
  }
}

TEST(Font, AlignmentAndDigits) {
  const double size = 30, width = text_width("Bag", size);
  const auto left_edge = [&](Align align) {
    Canvas canvas(300, 60);
    canvas.text({150, 40}, "Bag", {size, kBlack, align});
    return ink_box(canvas.image()).left;
  };
  EXPECT_NEAR(left_edge(Align::kLeft) - left_edge(Align::kCenter), width / 2, 1);
  EXPECT_NEAR(left_edge(Align::kLeft) - left_edge(Align::kRight), width, 1);
  for (char c = '1'; c <= '9'; ++c) EXPECT_EQ(text_width(std::string(1, c), 10), text_width("0", 10));
  // Malformed UTF-8 is drawn as something, and ends.
  EXPECT_GT(text_width("\xff\xc3", 10), 0);
  EXPECT_EQ(text_width("", 10), 0);
}

TEST(Colormap, PublishedColorsAndEvenLightness) {
  const auto distance = [](const Color& a, std::uint32_t hex) {
    const Color b = Color::hex(hex);
    return 255 * std::max({std::abs(a.red - b.red), std::abs(a.green - b.green), std::abs(a.blue - b.blue)});
  };
  // The published tables at 0, 128 and 255; 0.92 is the documented error, 0.5 the rounding of these.
  EXPECT_LE(distance(viridis(0), 0x440154), 0.5);
  EXPECT_LE(distance(viridis(128 / 255.0), 0x21918c), 1.42);
  EXPECT_LE(distance(viridis(1), 0xfde725), 0.5);
  EXPECT_LE(distance(magma(0), 0x000004), 0.5);
  EXPECT_LE(distance(magma(128 / 255.0), 0xb73779), 1.42);
  EXPECT_LE(distance(magma(1), 0xfcfdbf), 0.5);
  const auto lightness = [](const Color& c) { return 0.2126 * c.red + 0.7152 * c.green + 0.0722 * c.blue; };
  for (int i = 0; i < 1000; ++i) {
    const double a = i / 1000.0, b = (i + 1) / 1000.0;
    EXPECT_LT(lightness(viridis(a)), lightness(viridis(b))) << a;
    EXPECT_LT(lightness(magma(a)), lightness(magma(b))) << a;
  }
  EXPECT_EQ(viridis(-3).green, viridis(0).green);
  EXPECT_EQ(magma(7).green, magma(1).green);
  EXPECT_EQ(viridis(std::nan("")).red, viridis(std::nan("")).blue);
}

}  // namespace
}  // namespace rill::tools
