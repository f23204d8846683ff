// A picture to draw on: anti-aliased disks, lines, rectangles and text, blended onto a background.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tools/plot/color.hpp"
#include "tools/plot/geometry.hpp"

namespace rill::tools {

/// A finished picture: rows from the top, three bytes (red, green, blue; sRGB) for each pixel.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;

  friend bool operator==(const Image&, const Image&) = default;
};

/// Where a text's reference point lies along its baseline.
enum class Align { kLeft, kCenter, kRight };

/// Size is the em in pixels: capitals are kCapHeight of it. Weight is the stroke's width as a share of the size.
struct TextStyle {
  double size = 12;
  Color color = kInk;
  Align align = Align::kLeft;
  double weight = 0.078;
};

/// Coordinates are pixels, with (0, 0) at the upper left corner of the picture and y growing downward, so the center
/// of the first pixel is (0.5, 0.5). Everything may lie partly or wholly outside. Colors are kept as floating-point
/// numbers until image() rounds them, so that thousands of faint disks on one spot add up correctly.
class Canvas {
 public:
  /// Throws std::invalid_argument unless both sizes are in [1, 32768].
  Canvas(int width, int height, Color background = kWhite);

  int width() const { return width_; }
  int height() const { return height_; }

  /// Clips all further drawing to the whole pixels inside `area`, until reset_clip().
  void clip(const Rect& area);
  void reset_clip();

  /// A filled rectangle; partially covered pixels are blended in proportion.
  void rectangle(const Rect& area, Color color);
  /// A filled disk.
  void disc(Point center, double radius, Color color);
  /// A filled convex polygon; its corners in either order.
  void polygon(std::span<const Point> corners, Color color);
  /// Connected segments with round ends and joints. Where a path crosses itself, its opacity counts once.
  void path(std::span<const Point> points, double width, Color color);
  void line(Point from, Point to, double width, Color color);
  /// One line of text (UTF-8; tools/plot/font.hpp lists what can be drawn) whose baseline passes through `anchor`.
  void text(Point anchor, std::string_view text, const TextStyle& style);
  /// An opaque picture with its upper left corner at (x, y), each of its pixels drawn as a `zoom` x `zoom` square.
  void image(int x, int y, const Image& picture, int zoom = 1);

  Image image() const;

 private:
  struct Box {
    int left, top, right, bottom;
  };
  Box inside(double left, double top, double right, double bottom) const;
  void blend(int x, int y, double coverage, const Color& color);
  void strokes(std::span<const std::vector<Point>> paths, double width, const Color& color);

  int width_;
  int height_;
  Box clip_;
  std::vector<float> pixels_;  // red, green, blue
};

}  // namespace rill::tools
