// Wasserstein distances between two sets of points: the cost of moving one onto the other.
#pragma once

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "flow/metrics/estimate.hpp"

namespace rill::flow {

/// The exact distances between two sets of equally many points, over permutations p:   a, b: [n, D]
///   W_1 = min_p 1/n sum_i |a_i - b_{p_i}|,   W_2 = sqrt(min_p 1/n sum_i |a_i - b_{p_i}|^2)
/// (Peyre and Cuturi, "Computational Optimal Transport", 2019, chapter 2).
/// By exact assignment (flow/transport/assignment.hpp): 10,000 points in the plane take seconds; in more than
/// kDirectDimension dimensions it takes n^2 Reals of memory. The cost is then summed in double.
///
/// The standard error is that of the limit theorem of del Barrio and Loubes ("Central Limit Theorems for Empirical
/// Transportation Cost in General Dimension", Annals of Probability 47, 2019): the cost varies like
/// 1/n sum_i f(a_i) + 1/n sum_j g(b_j), where f and g are the optimal dual potentials, here those of the two sets. It
/// is the deviation around the mean over draws, and does not include the bias: two samples of the same distribution
/// have a positive distance, which serves as the baseline. Near it, where the potentials follow the noise of the two
/// sets, the error is up to twice too large.
///
/// Throws std::invalid_argument for other shapes, no points, and points that are not finite.
Estimate wasserstein1(const Tensor& a, const Tensor& b);
Estimate wasserstein2(const Tensor& a, const Tensor& b);

/// The sliced 2-Wasserstein distance (Rabin et al., "Wasserstein Barycenter and its Application to Texture Mixing",
/// 2011): the root of the mean of W_2^2 between the sets' projections onto random directions, computed by sorting.
///   a, b: [n, D], directions uniform on the sphere
/// The standard error is over the directions, for fixed points. O(directions n (D + log n)).
/// Throws std::invalid_argument for other shapes, no points, or less than one direction.
Estimate sliced_wasserstein2(const Tensor& a, const Tensor& b, Generator& rng, Index directions = 200);

}  // namespace rill::flow
