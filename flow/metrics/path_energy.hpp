// The cost of a flow's trajectories, compared with the least possible cost of the transport.
#pragma once

#include <span>

#include "autodiff/tensor.hpp"
#include "flow/metrics/estimate.hpp"

namespace rill::flow {

// A trajectory is the points x[k]: [n, D] at increasing or decreasing times t[k], joined by straight lines, with the
// velocity (x[k + 1] - x[k]) / (t[k + 1] - t[k]): exact for Euler's method. Standard errors are over the n points.
// Throw std::invalid_argument unless there are as many times as sets of points, at least two, all times are distinct,
// all shapes equal and all points finite.

/// The path energy   integral E|v_t(x_t)|^2 dt = sum_k 1/n sum_i |x[k + 1]_i - x[k]_i|^2 / |t[k + 1] - t[k]|
/// (Benamou and Brenier, "A Computational Fluid Mechanics Solution to the Monge-Kantorovich Mass Transfer Problem",
/// 2000). Over [0, 1], at least W_2^2.
Estimate path_energy(std::span<const double> t, std::span<const Tensor> x);

/// The normalized path energy   NPE = |energy - W_2^2| / W_2^2   (Tong et al., arXiv 2307.03672,
/// equation 22): 0 for the optimal transport. The standard error treats the energy and W_2 as independent.
Estimate normalized_path_energy(const Estimate& energy, const Estimate& wasserstein2);

/// The straightness   S = integral E|(x_1 - x_0) - v_t(x_t)|^2 dt   (Liu et al., "Flow Straight and Fast", arXiv
/// 2209.03003, section 2.2), for times from 0 to 1 or from 1 to 0: 0 if every point moves along a line at constant
/// speed, so that a single step of Euler's method is exact.
Estimate straightness(std::span<const double> t, std::span<const Tensor> x);

}  // namespace rill::flow
