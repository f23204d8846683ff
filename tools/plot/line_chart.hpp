// Line charts: losses and other measurements over steps or time.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tools/plot/canvas.hpp"

namespace rill::tools {

/// One line: its points in order of x. Lines are broken where a number is not finite.
struct Series {
  std::string name;
  std::vector<Point> points;
  Color color = kBlue;
};

struct LineChartOptions {
  std::string title;
  /// Written below the x axis.
  std::string x_label;
  /// A logarithmic y axis; values that are not positive break the line.
  bool log_y = false;
  /// An x axis in powers of two; points whose x is not positive break the line.
  bool log2_x = false;
  /// Put the names to the right of the frame, for lines that fill it.
  bool names_beside = false;
  /// Size of the plot in units of layout (text is 11 and 14 units high), and pixels per unit.
  double width = 440;
  double height = 260;
  double scale = 2;
};

/// Draws all series in one frame, as wide as the data and as high as robust_range() of all values, with their names in
/// the upper right corner unless they stand beside it. Throws std::invalid_argument without series.
Image line_chart(std::span<const Series> series, const LineChartOptions& options = {});

}  // namespace rill::tools
