// The linear assignment problem: who goes with whom so that the total cost is least.
#pragma once

#include <span>
#include <vector>

#include "autodiff/real.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

/// The permutation p of 0..n-1 that minimises sum_i cost[i, p_i], exactly, for a cost matrix [n, n], row-major.
///
/// Shortest augmenting paths with dual variables (Jonker and Volgenant, "A Shortest Augmenting Path Algorithm for Dense
/// and Sparse Linear Assignment Problems", Computing 38, 1987), started from the prices of a random half of the
/// problem, which is solved first, in the same way. O(n^3) at worst, in double. The result is the same on any number of
/// threads; where several permutations are as good, which one it is may depend on the instruction set.
///
/// Throws std::invalid_argument unless there are n * n finite costs.
std::vector<Index> solve_assignment(std::span<const double> cost, Index n);

/// The permutation p that minimises sum_i |a_i - b_{p_i}|^2, which is exact optimal transport.   a, b: [n, D]
/// Up to kDirectDimension dimensions the costs are computed in double whenever they are needed, and memory is O(n).
/// Beyond, they are one matrix product in Real of the centred points, which takes n^2 Reals.
/// Throws std::invalid_argument for other shapes, and for points that are not finite or whose squares overflow.
std::vector<Index> optimal_assignment(const Tensor& a, const Tensor& b);
inline constexpr Index kDirectDimension = 8;

/// An optimal permutation with the dual potentials that prove it:
///   row_i + column_j <= cost(i, j) for all i and j, with equality for j = partner_i
/// up to rounding; so any other permutation costs at least the sum of all potentials, which is what this one costs.
struct Assignment {
  std::vector<Index> partner;
  std::vector<double> row, column;
};

/// solve_assignment() and optimal_assignment() with their potentials; between points, of the squared distance or of the
/// distance.
Assignment assignment_with_potentials(std::span<const double> cost, Index n);
enum class PointCost { kSquaredDistance, kDistance };
Assignment assignment_with_potentials(const Tensor& a, const Tensor& b, PointCost cost = PointCost::kSquaredDistance);

}  // namespace rill::flow
