#include "tools/figures/drawing.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tools/plot/plot_grid.hpp"

namespace rill::tools {

void draw_points(const Axes& axes, const Tensor& points, const Color& color, const Dots& dots) {
  const std::vector<double> values(points.data(), points.data() + points.size());
  axes.points(values, color, {dots.radius * axes.scale(), dots.opacity});
}

Limits limits_around(const Tensor& points, double margin) {
  constexpr double kNoise = 2.6;  // deviations
  Limits limits{-kNoise, kNoise, -kNoise, kNoise};
  for (Index i = 0; i < points.dim(0); ++i) {
    const double x = points.data()[2 * i], y = points.data()[2 * i + 1];
    limits = {std::min(limits.x_low, x - margin), std::max(limits.x_high, x + margin),
              std::min(limits.y_low, y - margin), std::max(limits.y_high, y + margin)};
  }
  return balanced(limits);
}

Tensor cell_centers(const Limits& limits, int cells) {
  Tensor centers = Tensor::empty({Index{cells} * cells, 2});
  for (int row = 0; row < cells; ++row) {
    for (int column = 0; column < cells; ++column) {
      Real* center = centers.data() + 2 * (Index{row} * cells + column);
      center[0] = static_cast<Real>(std::lerp(limits.x_low, limits.x_high, (column + 0.5) / cells));
      center[1] = static_cast<Real>(std::lerp(limits.y_low, limits.y_high, (row + 0.5) / cells));
    }
  }
  return centers;
}

double greatest_speed(const Tensor& field) {
  double greatest = 0;
  for (Index i = 0; i < field.dim(0); ++i) {
    greatest = std::max(greatest, std::hypot(double{field.data()[2 * i]}, double{field.data()[2 * i + 1]}));
  }
  return greatest;
}

void draw_field(const Axes& axes, const Tensor& field, const Limits& limits, int cells, double full,
                const Color& color) {
  const Tensor centers = cell_centers(limits, cells);
  const double cell = 0.95 * std::min(limits.width(), limits.height()) / cells;
  for (Index i = 0; i < field.dim(0); ++i) {
    const double x = centers.data()[2 * i], y = centers.data()[2 * i + 1];
    const double u = field.data()[2 * i], v = field.data()[2 * i + 1], speed = std::hypot(u, v);
    if (!(speed > 0)) continue;
    const double half = cell * std::min(1.0, speed / full) / speed / 2;
    axes.arrow({x - half * u, y - half * v}, {x + half * u, y + half * v}, 1.1, color);
  }
}

}  // namespace rill::tools
