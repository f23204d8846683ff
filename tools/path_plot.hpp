// The ways that points took.
#pragma once

#include <span>

#include "autodiff/tensor.hpp"
#include "tools/canvas.hpp"

namespace rill::tools {

/// Points in the plane from their start (gray dots) to their end (blue dots), with a line for each way. `states` are
/// the points [n, 2] at successive times; ways of at most 400 points are drawn, ends of all.
/// Throws std::invalid_argument for fewer than two states and other shapes.
Image path_plot(std::span<const Tensor> states);

}  // namespace rill::tools
