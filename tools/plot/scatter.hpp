// Scatter plots: one, or several side by side on the same axes, and animations of moving points.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/plot/axes.hpp"
#include "tools/plot/canvas.hpp"

namespace rill::tools {

/// One plot of a figure. `points` are [n, 2] values: x, y, x, y, ...; they are not copied.
struct Panel {
  std::string title;
  std::span<const double> points;
  Color color = kBlue;
};

struct ScatterOptions {
  /// What every plot shows; robust_limits() of all points when not given.
  std::optional<Limits> limits;
  /// Width of one plot in units of layout; text is 11 and 14 units high.
  double width = 320;
  /// Pixels per unit: 2 is crisp on fine screens and in print.
  double scale = 2;
  /// One scale for x and y: a circle of points is a circle. Otherwise each axis has its own.
  bool equal_axes = true;
};

/// Draws the panels side by side: the same limits in each, the y labels on the left only. Throws std::invalid_argument
/// without panels, for an odd number of values, or limits that are not finite and increasing.
Image scatter(std::span<const Panel> panels, const ScatterOptions& options = {});

/// One picture for each time, for write_gif(): the moving points on fixed axes, titled "t = 0.37".
/// `states` holds the points ([n, 2] values) at each of `times`; throws std::invalid_argument if their numbers
/// differ. Limits default to robust_limits() of all states; ScatterOptions{.width = 400, .scale = 1} and
/// GifOptions{.colors = 64} suit a web page.
std::vector<Image> scatter_film(std::span<const std::span<const double>> states, std::span<const double> times,
                                const Color& color, const ScatterOptions& options = {});

}  // namespace rill::tools
