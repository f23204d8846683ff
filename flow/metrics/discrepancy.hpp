// Discrepancies between two distributions, from samples of both, or from samples of one and both densities.
#pragma once

#include <span>
#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/metrics/estimate.hpp"

namespace rill::flow {

// Two samples. Both statistics have the form E k(x, x') + E k(y, y') - 2 E k(x, y) with independent copies x', y', and
// are estimated without bias over all pairs of distinct points (U-statistics), so they may be negative if the
// distributions agree. The standard error is the jackknife's: exact for large sets, but up to sqrt(2) too large if the
// distributions agree (Efron and Stein, "The Jackknife Estimate of Variance", 1981).
// x: [n, D], y: [m, D], of any offset and scale (flow/transport/pairwise.hpp); sums are taken in double. Throw
// std::invalid_argument for other shapes, fewer than three points in a set, and points that are not finite. O(n m D).

/// The energy distance, k(x, y) = -|x - y|: 2 E|x - y| - E|x - x'| - E|y - y'|   (Szekely and Rizzo, "Energy
/// statistics", 2013). 0 only for equal distributions.
Estimate energy_distance(const Tensor& x, const Tensor& y);

/// The square of the maximum mean discrepancy with Gaussian kernels   (Gretton et al., "A Kernel Two-Sample Test", JMLR
/// 13, 2012, lemma 6 and equation 3), the mean of k(x, y) = exp(-|x - y|^2 / (2 s^2)) over the bandwidths s: unless
/// they are given, 1/4, 1/2, 1, 2 and 4 times median_distance().
Estimate squared_mmd(const Tensor& x, const Tensor& y, std::span<const double> bandwidths = {});

/// The median distance between distinct points of the union of both sets, using the first 500 of each.
double median_distance(const Tensor& x, const Tensor& y);

/// The negative log-likelihood of samples of p under q, E_p[-ln q], in nats.   log_q: [n], ln q at the samples
/// Infinite if q is 0 at a sample.
Estimate negative_log_likelihood(const Tensor& log_q);

/// The divergence KL(p | q) = E_p[ln p - ln q] in nats (Kullback and Leibler 1951).
///   log_p, log_q: [n], at samples of p
/// Throws std::invalid_argument unless the shapes are equal.
Estimate kl_divergence(const Tensor& log_p, const Tensor& log_q);

}  // namespace rill::flow
