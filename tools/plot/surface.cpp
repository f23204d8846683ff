#include "tools/plot/surface.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "autodiff/error.hpp"
#include "tools/plot/colormap.hpp"

namespace rill::tools {
namespace {

struct Corner {
  Point place;
  double depth;  // the distance from the camera
};

// The base is [-1, 1]^2 in the plane z = 0. The camera looks at its center.
class Camera {
 public:
  Camera(const Rect& frame, const SurfaceView& view)
      : cos_turn_(std::cos(view.turn)),
        sin_turn_(std::sin(view.turn)),
        cos_rise_(std::cos(view.rise)),
        sin_rise_(std::sin(view.rise)),
        center_{(frame.left + frame.right) / 2, frame.top + 0.6 * frame.height()},
        scale_(0.335 * std::min(frame.width(), 1.25 * frame.height())) {}

  Corner see(double x, double y, double z) const {
    constexpr double kDistance = 6;
    const double across = cos_turn_ * x - sin_turn_ * y, away = sin_turn_ * x + cos_turn_ * y;
    const double depth = kDistance + cos_rise_ * away - sin_rise_ * z, up = sin_rise_ * away + cos_rise_ * z;
    const double zoom = scale_ * kDistance / depth;
    return {{center_.x + zoom * across, center_.y - zoom * up}, depth};
  }

 private:
  double cos_turn_, sin_turn_, cos_rise_, sin_rise_;
  Point center_;
  double scale_;
};

}  // namespace

void draw_surface(Canvas& canvas, const Rect& frame, std::span<const Real> values, int rows, int columns,
                  const SurfaceView& view, double line) {
  require(
      rows >= 2 && columns >= 2 && values.size() == static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns),
      "surface: ", values.size(), " values are not ", rows, " x ", columns);
  require(view.high > 0, "surface: high is ", view.high, ", expected a number above 0");
  const Camera camera(frame, view);
  const auto height = [&](int row, int column) {
    const double value =
        values[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column)];
    return std::isfinite(value) ? value / view.high : 0;
  };
  const auto corner = [&](int row, int column) {
    return camera.see(2.0 * column / (columns - 1) - 1, 2.0 * row / (rows - 1) - 1, height(row, column));
  };
  struct Quad {
    std::array<Point, 4> corners;
    double depth, height;
  };
  std::vector<Quad> quads;
  for (int row = 0; row + 1 < rows; ++row) {
    for (int column = 0; column + 1 < columns; ++column) {
      const Corner a = corner(row, column), b = corner(row, column + 1), c = corner(row + 1, column + 1),
                   d = corner(row + 1, column);
      const double mean =
          (height(row, column) + height(row, column + 1) + height(row + 1, column + 1) + height(row + 1, column)) / 4;
      quads.push_back({{a.place, b.place, c.place, d.place}, a.depth + b.depth + c.depth + d.depth, mean});
    }
  }
  std::stable_sort(quads.begin(), quads.end(), [](const Quad& a, const Quad& b) { return a.depth > b.depth; });
  canvas.clip(frame);
  for (const Quad& quad : quads) {
    const Color color = viridis(0.08 + 0.9 * quad.height);
    canvas.polygon(quad.corners, color);
    // The mesh, a little darker than the face; it also closes the seams between neighbors.
    const std::array<Point, 5> around = {quad.corners[0], quad.corners[1], quad.corners[2], quad.corners[3],
                                         quad.corners[0]};
    canvas.path(around, line, {0.8 * color.red, 0.8 * color.green, 0.8 * color.blue, 1});
  }
  canvas.reset_clip();
}

}  // namespace rill::tools
