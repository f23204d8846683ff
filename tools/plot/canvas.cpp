#include "tools/plot/canvas.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "autodiff/error.hpp"
#include "tools/plot/font.hpp"

namespace rill::tools {
namespace {

// The share of a pixel inside a shape whose edge passes at signed distance `inside` from the pixel's center (positive:
// the center is inside). Exact for a straight edge along the pixel grid, and close for any other.
double edge_coverage(double inside) { return std::clamp(inside + 0.5, 0.0, 1.0); }

double squared_distance(Point p, Point from, Point to) {
  const double dx = to.x - from.x, dy = to.y - from.y;
  const double length_squared = dx * dx + dy * dy;
  const double along = length_squared > 0 ? ((p.x - from.x) * dx + (p.y - from.y) * dy) / length_squared : 0;
  const double nearest = std::clamp(along, 0.0, 1.0);
  const double x = p.x - (from.x + nearest * dx), y = p.y - (from.y + nearest * dy);
  return x * x + y * y;
}

}  // namespace

Canvas::Canvas(int width, int height, Color background) : width_(width), height_(height) {
  constexpr int kLargest = 32768;
  require(width >= 1 && height >= 1 && width <= kLargest && height <= kLargest, "canvas: ", width, " x ", height,
          " pixels: both must be from 1 to ", kLargest);
  reset_clip();
  pixels_.resize(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  for (std::size_t i = 0; i < pixels_.size(); i += 3) {
    pixels_[i] = static_cast<float>(background.red);
    pixels_[i + 1] = static_cast<float>(background.green);
    pixels_[i + 2] = static_cast<float>(background.blue);
  }
}

void Canvas::clip(const Rect& area) {
  reset_clip();
  clip_ = inside(std::ceil(area.left), std::ceil(area.top), std::floor(area.right), std::floor(area.bottom));
}

void Canvas::reset_clip() { clip_ = {0, 0, width_, height_}; }

// The pixels that a shape with these bounds may touch: half-open ranges within the clip area. Clamping before the
// conversion keeps far-off and infinite bounds defined; bounds that are not numbers give an empty box.
Canvas::Box Canvas::inside(double left, double top, double right, double bottom) const {
  if (!(left <= right && top <= bottom)) return {0, 0, 0, 0};
  const auto whole = [](double value, int low, int high) {
    return static_cast<int>(std::clamp(value, static_cast<double>(low), static_cast<double>(high)));
  };
  return {whole(std::floor(left), clip_.left, clip_.right), whole(std::floor(top), clip_.top, clip_.bottom),
          whole(std::ceil(right), clip_.left, clip_.right), whole(std::ceil(bottom), clip_.top, clip_.bottom)};
}

void Canvas::blend(int x, int y, double coverage, const Color& color) {
  const auto share = static_cast<float>(coverage * color.opacity);
  float* pixel =
      &pixels_[3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x))];
  pixel[0] += share * (static_cast<float>(color.red) - pixel[0]);
  pixel[1] += share * (static_cast<float>(color.green) - pixel[1]);
  pixel[2] += share * (static_cast<float>(color.blue) - pixel[2]);
}

void Canvas::rectangle(const Rect& area, Color color) {
  const Box box = inside(area.left, area.top, area.right, area.bottom);
  const auto overlap = [](int pixel, double low, double high) {
    return std::max(0.0, std::min(high, pixel + 1.0) - std::max(low, static_cast<double>(pixel)));
  };
  for (int y = box.top; y < box.bottom; ++y) {
    const double rows = overlap(y, area.top, area.bottom);
    for (int x = box.left; x < box.right; ++x) blend(x, y, rows * overlap(x, area.left, area.right), color);
  }
}

void Canvas::disc(Point center, double radius, Color color) {
  const double reach = radius + 0.5;
  const Box box = inside(center.x - reach, center.y - reach, center.x + reach, center.y + reach);
  for (int y = box.top; y < box.bottom; ++y) {
    for (int x = box.left; x < box.right; ++x) {
      const double distance = std::hypot(x + 0.5 - center.x, y + 0.5 - center.y);
      if (distance < reach) blend(x, y, edge_coverage(radius - distance), color);
    }
  }
}

void Canvas::polygon(std::span<const Point> corners, Color color) {
  double left = corners[0].x, right = left, top = corners[0].y, bottom = top, twice_area = 0;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const Point a = corners[i], b = corners[(i + 1) % corners.size()];
    twice_area += a.x * b.y - b.x * a.y;
    left = std::min(left, a.x - 0.5);
    right = std::max(right, a.x + 0.5);
    top = std::min(top, a.y - 0.5);
    bottom = std::max(bottom, a.y + 0.5);
  }
  const double sign = twice_area < 0 ? -1 : 1;
  const Box box = inside(left, top, right, bottom);
  for (int y = box.top; y < box.bottom; ++y) {
    for (int x = box.left; x < box.right; ++x) {
      double coverage = 1;
      for (std::size_t i = 0; i < corners.size() && coverage > 0; ++i) {
        const Point a = corners[i], b = corners[(i + 1) % corners.size()];
        const double length = std::hypot(b.x - a.x, b.y - a.y);
        if (length == 0) continue;
        const double distance = ((b.x - a.x) * (y + 0.5 - a.y) - (b.y - a.y) * (x + 0.5 - a.x)) / length;
        coverage = std::min(coverage, edge_coverage(sign * distance));
      }
      if (coverage > 0) blend(x, y, coverage, color);
    }
  }
}

void Canvas::path(std::span<const Point> points, double width, Color color) {
  const std::vector<Point> copy(points.begin(), points.end());
  strokes({&copy, 1}, width, color);
}

void Canvas::line(Point from, Point to, double width, Color color) {
  const std::vector<Point> ends = {from, to};
  strokes({&ends, 1}, width, color);
}

// Takes the largest coverage of every pixel over all segments, then blends once.
void Canvas::strokes(std::span<const std::vector<Point>> paths, double width, const Color& color) {
  const double reach = width / 2 + 0.5;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double left = kInfinity, top = kInfinity, right = -kInfinity, bottom = -kInfinity;
  for (const auto& points : paths) {
    for (const Point& p : points) {
      left = std::min(left, p.x - reach);
      top = std::min(top, p.y - reach);
      right = std::max(right, p.x + reach);
      bottom = std::max(bottom, p.y + reach);
    }
  }
  const Box all = inside(left, top, right, bottom);
  const auto columns = static_cast<std::size_t>(all.right - all.left);
  const auto rows = static_cast<std::size_t>(all.bottom - all.top);
  std::vector<float> mask(columns * rows);
  for (const auto& points : paths) {
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
      const Point a = points[i], b = points[i + 1];
      const Box box = inside(std::min(a.x, b.x) - reach, std::min(a.y, b.y) - reach, std::max(a.x, b.x) + reach,
                             std::max(a.y, b.y) + reach);
      for (int y = box.top; y < box.bottom; ++y) {
        float* row = &mask[static_cast<std::size_t>(y - all.top) * columns];
        for (int x = box.left; x < box.right; ++x) {
          const double squared = squared_distance({x + 0.5, y + 0.5}, a, b);
          if (squared >= reach * reach) continue;
          float& pixel = row[x - all.left];
          pixel = std::max(pixel, static_cast<float>(edge_coverage(width / 2 - std::sqrt(squared))));
        }
      }
    }
  }
  for (int y = all.top; y < all.bottom; ++y) {
    for (int x = all.left; x < all.right; ++x) {
      const float coverage =
          mask[static_cast<std::size_t>(y - all.top) * columns + static_cast<std::size_t>(x - all.left)];
      if (coverage > 0) blend(x, y, coverage, color);
    }
  }
}

void Canvas::text(Point anchor, std::string_view text, const TextStyle& style) {
  const double shift = style.align == Align::kLeft ? 0 : style.align == Align::kCenter ? 0.5 : 1;
  const Point start = {anchor.x - shift * text_width(text, style.size), anchor.y};
  strokes(text_outline(text, start, style.size), style.weight * style.size, style.color);
}

void Canvas::image(int x, int y, const Image& picture, int zoom) {
  for (int row = std::max(clip_.top, y); row < std::min(clip_.bottom, y + picture.height * zoom); ++row) {
    for (int column = std::max(clip_.left, x); column < std::min(clip_.right, x + picture.width * zoom); ++column) {
      const int pixel = ((row - y) / zoom) * picture.width + (column - x) / zoom;
      const std::uint8_t* rgb = &picture.rgb[3 * static_cast<std::size_t>(pixel)];
      blend(column, row, 1, {rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0, 1});
    }
  }
}

Image Canvas::image() const {
  Image result{width_, height_, std::vector<std::uint8_t>(pixels_.size())};
  std::transform(pixels_.begin(), pixels_.end(), result.rgb.begin(), [](float value) {
    return static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0f, 1.0f)));
  });
  return result;
}

}  // namespace rill::tools
