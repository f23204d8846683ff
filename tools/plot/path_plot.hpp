// Plots of trajectories.
#pragma once

#include <span>

#include "tools/plot/canvas.hpp"

namespace rill::tools {

/// Trajectories of points in the plane: gray dots at the start, blue dots at the end, and a line for each. `states` are
/// the points ([n, 2] values: x, y, x, y, ...) at successive times; at most 400 lines are drawn, but all dots.
/// With equal axes there is one scale for x and y, otherwise each has its own.
/// Throws std::invalid_argument for fewer than two states, odd numbers of values and states of different sizes.
Image path_plot(std::span<const std::span<const double>> states, bool equal_axes = true);

}  // namespace rill::tools
