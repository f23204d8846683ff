// Heat maps of functions on the plane, side by side, with a shared color bar.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "autodiff/real.hpp"
#include "tools/plot/canvas.hpp"
#include "tools/plot/limits.hpp"

namespace rill::tools {

/// One plot of a figure: the function's values on a grid over the limits, [rows, columns], the first row at the bottom.
struct HeatMap {
  std::string title;
  std::vector<Real> values;
};

struct HeatMapOptions {
  int rows = 1, columns = 1;
  double low = 0, high = 1;  ///< the values at the dark and the light end of the colors (magma)
  std::string unit;          ///< written above the bar
  bool equal_axes = true;    ///< one scale for x and y; otherwise each has its own
  double width = 320;        ///< of a map, in units of layout
};

/// Throws std::invalid_argument without maps, for values that are not [rows, columns], and unless low < high.
Image heat_maps(std::span<const HeatMap> maps, const Limits& limits, const HeatMapOptions& options);

}  // namespace rill::tools
