// The linear assignment problem: the pairing with the least total cost.
#pragma once

#include <span>
#include <vector>

#include "autodiff/real.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

/// The permutation p of 0..n-1 that exactly minimizes sum_i cost[i, p_i], for a cost matrix [n, n], row-major.
///
/// Shortest augmenting paths with dual variables (Jonker and Volgenant, "A Shortest Augmenting Path Algorithm for Dense
/// and Sparse Linear Assignment Problems", Computing 38, 1987), started from the prices of a random half of the
/// problem, which is first solved in the same way. O(n^3) at worst, in double. The result does not depend on the number
/// of threads; of several optimal permutations, the instruction set may decide which one is found.
///
/// Throws std::invalid_argument unless there are n * n finite costs.
std::vector<Index> solve_assignment(std::span<const double> cost, Index n);

/// The permutation p that minimizes sum_i |a_i - b_{p_i}|^2: exact optimal transport.   a, b: [n, D]
/// In up to kDirectDimension dimensions, costs are computed in double when needed, and memory is O(n). In more, they
/// come from one matrix product, in Real, of the centered points, which takes n^2 Reals.
/// Throws std::invalid_argument for other shapes, and for points that are not finite or whose squares overflow.
std::vector<Index> optimal_assignment(const Tensor& a, const Tensor& b);
inline constexpr Index kDirectDimension = 8;

/// An optimal permutation with the dual potentials that prove it:
///   row_i + column_j <= cost(i, j) for all i and j, with equality for j = partner_i
/// up to rounding; so the cost of any permutation is at least the sum of all potentials, which is the cost of this one.
struct Assignment {
  std::vector<Index> partner;
  std::vector<double> row, column;
};

/// solve_assignment() and optimal_assignment() with potentials; between points, for the squared distance or the
/// distance.
Assignment assignment_with_potentials(std::span<const double> cost, Index n);
enum class PointCost { kSquaredDistance, kDistance };
Assignment assignment_with_potentials(const Tensor& a, const Tensor& b, PointCost cost = PointCost::kSquaredDistance);

}  // namespace rill::flow
