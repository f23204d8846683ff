// What a flow's trajectories cost, beside the least that the transport could cost.
#pragma once

#include <span>

#include "autodiff/tensor.hpp"
#include "flow/metrics/estimate.hpp"

namespace rill::flow {

// A trajectory is the points x[k]: [n, D] at the times t[k], rising or falling, with straight lines in between: exactly
// what Euler's method follows, whose velocity is (x[k + 1] - x[k]) / (t[k + 1] - t[k]). Standard errors are over the n
// points. Throw std::invalid_argument unless there are as many times as sets of points, at least two, all times
// different, all shapes equal and all points finite.

/// The path energy   integral E|v_t(x_t)|^2 dt = sum_k 1/n sum_i |x[k + 1]_i - x[k]_i|^2 / |t[k + 1] - t[k]|
/// (Benamou and Brenier, "A Computational Fluid Mechanics Solution to the Monge-Kantorovich Mass Transfer Problem",
/// 2000). Over [0, 1] never below W_2^2.
Estimate path_energy(std::span<const double> t, std::span<const Tensor> x);

/// The normalized path energy   NPE = |energy - W_2^2| / W_2^2   (Tong et al., arXiv 2307.03672,
/// equation 22): 0 for the optimal transport. The standard error takes those of the energy and of W_2 as independent.
Estimate normalized_path_energy(const Estimate& energy, const Estimate& wasserstein2);

/// The straightness   S = integral E|(x_1 - x_0) - v_t(x_t)|^2 dt   (Liu et al., "Flow Straight and Fast", arXiv
/// 2209.03003, section 2.2), for times from 0 to 1 or from 1 to 0: 0 when every point moves along a line at a constant
/// speed, so that a single step of Euler's method is exact.
Estimate straightness(std::span<const double> t, std::span<const Tensor> x);

}  // namespace rill::flow
