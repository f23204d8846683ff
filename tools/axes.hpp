// A frame with ticks, and the map from the numbers to the picture.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "autodiff/real.hpp"
#include "tools/canvas.hpp"
#include "tools/geometry.hpp"
#include "tools/ticks.hpp"

namespace rill::tools {

/// The part of the plane that a plot shows.
struct Limits {
  double x_low = -1;
  double x_high = 1;
  double y_low = -1;
  double y_high = 1;

  double width() const { return x_high - x_low; }
  double height() const { return y_high - y_low; }
};

/// Limits that show all point sets (each x, y, x, y, ...) and that a few outliers do not stretch: on each axis from the
/// 0.5 % to the 99.5 % quantile, extended to the outermost points within 30 % of that range on either side, and a
/// margin of 5 %. Points with a NaN or an infinity are skipped. A range of no width is widened; no points at all give
/// [-1, 1] on both axes. Throws std::invalid_argument for an odd number of values.
Limits robust_limits(std::span<const std::span<const Real>> point_sets);

/// How a set of points is drawn: discs, smaller and fainter the more of them there are, so that density shows as shade.
struct Dots {
  double radius = 1;
  double opacity = 1;
};
/// Radius in pixels, for a plot drawn at `scale` pixels per unit of layout.
Dots dots_for(std::size_t count, double scale);

/// What is marked along both axes.
struct AxisTicks {
  std::vector<Tick> x;
  std::vector<Tick> y;
};
/// At most `most` + 1 round numbers on each axis; fewer on x where their labels would crowd a frame of `width` units.
AxisTicks ticks_for(const Limits& limits, double width, int most);

/// Room around a frame of `width` units for a title and tick labels, within the picture's white margin; in units.
struct Margins {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
  /// Between this frame and the next on its right, which has no y labels.
  double gutter = 0;
};
Margins margins_for(const Limits& limits, const AxisTicks& ticks, double width, bool title);

/// One plot: `limits` drawn inside `frame` (pixels), both axes linear. Lines and text are `scale` pixels per unit.
class Axes {
 public:
  Axes(Canvas& canvas, const Rect& frame, const Limits& limits, double scale);

  /// Where a point of the plane is in the picture.
  Point at(double x, double y) const;

  /// Draws x, y, x, y, ... as discs, clipped to the frame. Points with a NaN or an infinity are skipped.
  void points(std::span<const Real> values, const Color& color, const Dots& dots) const;

  /// Draws the frame and the ticks, with labels below and, where asked for, on the left.
  void frame(const AxisTicks& ticks, bool y_labels) const;

  /// Centers one line above the frame, in smaller type if it is too long.
  void title(const std::string& text) const;

 private:
  Canvas& canvas_;
  Rect frame_;
  Limits limits_;
  double scale_;
};

}  // namespace rill::tools
