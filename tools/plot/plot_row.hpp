// Frames side by side on the same axes, to be drawn into.
#pragma once

#include "tools/plot/axes.hpp"
#include "tools/plot/canvas.hpp"
#include "tools/plot/limits.hpp"

namespace rill::tools {

/// The limits with their shorter side widened: a plot that is nearly square becomes square, and none is much longer
/// than it is wide. Throws std::invalid_argument for limits that are not finite and increasing.
Limits balanced(const Limits& limits);

struct PlotRowOptions {
  /// Width of one frame in units of layout; text is 11 and 14 units high.
  double width = 320;
  /// Pixels per unit: 2 is crisp on fine screens and in print.
  double scale = 2;
  bool titles = true;
  /// One scale for x and y: a circle of points is a circle. Otherwise each axis has its own, and frames are square.
  bool equal_axes = true;
  /// Units left free to the right of the last frame.
  double space_right = 0;
};

/// A picture with `count` frames that show the same limits, with y labels on the left only. Draw into axes(i), then
/// finish(i); then take the image.
class PlotRow {
 public:
  /// Throws std::invalid_argument unless count >= 1 and both sizes are positive.
  PlotRow(int count, const Limits& limits, const PlotRowOptions& options = {});

  Axes axes(int i) { return {canvas_, frame(i), limits_, options_.scale}; }
  Rect frame(int i) const;
  Canvas& canvas() & { return canvas_; }
  /// The frame and its ticks, over what was drawn, and the title.
  void finish(int i, const std::string& title);
  Image image() const { return canvas_.image(); }

 private:
  double pixels(double units) const;

  PlotRowOptions options_;
  Limits limits_;
  AxisTicks ticks_;
  Margins margins_;
  double width_, height_;  // of a frame, in pixels
  Canvas canvas_;
};

}  // namespace rill::tools
