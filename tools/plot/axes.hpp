// A frame with ticks, and the mapping from numbers to pixels.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "autodiff/real.hpp"
#include "tools/plot/canvas.hpp"
#include "tools/plot/geometry.hpp"
#include "tools/plot/limits.hpp"
#include "tools/plot/ticks.hpp"

namespace rill::tools {

/// How a set of points is drawn: as disks, smaller and fainter the more there are, so that density shows as shade.
struct Dots {
  double radius = 1;
  double opacity = 1;
};
/// Radius in pixels, for a plot drawn at `scale` pixels per unit of layout.
Dots dots_for(std::size_t count, double scale);

/// The ticks of both axes.
struct AxisTicks {
  OffsetTicks x;
  OffsetTicks y;
};
/// At most `most` + 1 round numbers on each axis; fewer on x, but not fewer than two, where their labels would crowd a
/// frame of `width` units.
AxisTicks ticks_for(const Limits& limits, double width, int most);

/// Space around a frame of `width` units for a title and tick labels, inside the picture's white margin; in units.
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

  /// Pixels per unit of layout.
  double scale() const { return scale_; }

  /// The position of a point of the plane in the picture.
  Point at(double x, double y) const;

  /// Draws points x, y, x, y, ... as disks, clipped to the frame. Points with a NaN or an infinity are skipped.
  void points(std::span<const double> values, const Color& color, const Dots& dots) const;

  /// Draws connected lines through points of the plane, clipped to the frame and broken at any that is not finite.
  void path(std::span<const Point> points, double width, const Color& color) const;

  /// Draws an arrow from a point of the plane to another, clipped to the frame; nothing where one is not finite. Its
  /// head is at most a third of it; `width` is in units of layout.
  void arrow(const Point& from, const Point& to, double width, const Color& color) const;

  /// Draws the lines along which a field, as of heat_map(), has this value; `width` is in units of layout.
  void contour(std::span<const Real> values, int rows, int columns, double level, double width,
               const Color& color) const;

  /// Writes a line of text into the upper left corner of the frame, on white; `line` counts from 0.
  void note(const std::string& text, int line, const Color& color) const;

  /// Fills the frame with a field: `values` are [rows, columns], the first row at the bottom (y_low), interpolated
  /// between the centers of their cells. `colors` is called with (value - low) / (high - low), like viridis().
  void heat_map(std::span<const Real> values, int rows, int columns, double low, double high,
                Color (*colors)(double)) const;

  /// Draws the frame and the ticks, with labels below and on the left, if requested. An offset of the labels is written
  /// below those of x and above those of y.
  void frame(const AxisTicks& ticks, bool x_labels, bool y_labels) const;

  /// Centers one line above the frame, in smaller type if it is too long.
  void title(const std::string& text) const;

 private:
  Canvas& canvas_;
  Rect frame_;
  Limits limits_;
  double scale_;
};

}  // namespace rill::tools
