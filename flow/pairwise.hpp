// Distances between all pairs of two sets of points.
#pragma once

#include <utility>

#include "autodiff/tensor.hpp"

namespace rill::flow {

/// |x_i - y_j|^2.   x: [n, D], y: [m, D] -> [n, m]
/// Few coordinates by their differences; more than 8 by a matrix product, which loses digits where the distance is
/// small beside the points: give points around 0. Throws std::invalid_argument for other shapes.
Tensor pairwise_squared_distances(const Tensor& x, const Tensor& y);

/// Both sets less the mean of the first, without gradients: their distances are the same, and the numbers are small.
std::pair<Tensor, Tensor> around_common_centre(const Tensor& x, const Tensor& y);

}  // namespace rill::flow
