// The ways that points took.
#pragma once

#include <span>

#include "tools/plot/canvas.hpp"

namespace rill::tools {

/// Points in the plane from their start (gray dots) to their end (blue dots), with a line for each way. `states` are
/// the points ([n, 2] values: x, y, x, y, ...) at successive times; ways of at most 400 points are drawn, ends of all.
/// With equal axes there is one scale for x and y, otherwise each has its own.
/// Throws std::invalid_argument for fewer than two states, odd numbers of values and states of different sizes.
Image path_plot(std::span<const std::span<const double>> states, bool equal_axes = true);

}  // namespace rill::tools
