// The linear assignment problem: who goes with whom so that the total cost is least.
#pragma once

#include <span>
#include <vector>

#include "autodiff/real.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

/// |a_i - b_j|^2, in double, row-major [N, M].   a: [N, D], b: [M, D]
/// Throws std::invalid_argument for other shapes.
std::vector<double> squared_distances(const Tensor& a, const Tensor& b);

/// The permutation p of 0..n-1 that minimises sum_i cost[i, p_i], exactly, for a cost matrix [n, n], row-major.
/// Shortest augmenting paths with dual variables (Jonker and Volgenant, "A Shortest Augmenting Path Algorithm for Dense
/// and Sparse Linear Assignment Problems", Computing 38, 1987): O(n^3) at worst.
/// Throws std::invalid_argument unless there are n * n finite costs.
std::vector<Index> solve_assignment(std::span<const double> cost, Index n);

}  // namespace rill::flow
