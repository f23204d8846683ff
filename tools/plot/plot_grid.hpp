// Frames in rows and columns on the same axes, to be drawn into.
#pragma once

#include "tools/plot/axes.hpp"
#include "tools/plot/canvas.hpp"
#include "tools/plot/limits.hpp"

namespace rill::tools {

/// The limits with their shorter side widened: a plot that is nearly square becomes square, and none is much longer
/// than it is wide. Throws std::invalid_argument for limits that are not finite and increasing.
Limits balanced(const Limits& limits);

struct PlotGridOptions {
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

/// A picture with frames that show the same limits, with y labels on the left and x labels at the bottom only. Frames
/// are numbered row by row. Draw into axes(i), then finish(i); then take the image.
class PlotGrid {
 public:
  /// Throws std::invalid_argument unless there are rows and columns, and both sizes are positive.
  PlotGrid(int rows, int columns, const Limits& limits, const PlotGridOptions& options = {});

  Axes axes(int i) { return {canvas_, frame(i), limits_, options_.scale}; }
  Rect frame(int i) const;
  Canvas& canvas() & { return canvas_; }
  /// The frame and its ticks, over what was drawn, and the title.
  void finish(int i, const std::string& title);
  Image image() const { return canvas_.image(); }

 private:
  double pixels(double units) const;

  int rows_, columns_;
  PlotGridOptions options_;
  Limits limits_;
  AxisTicks ticks_;
  Margins margins_;
  double width_, height_;  // of a frame, in pixels
  Canvas canvas_;
};

}  // namespace rill::tools
