// How far samples are from data.
#pragma once

#include "autodiff/tensor.hpp"

namespace rill::flow {

/// The 2-Wasserstein distance of two sets of as many points, exactly:
///   W_2 = sqrt(min_p 1/n sum_i |a_i - b_{p_i}|^2) over permutations p.   a, b: [n, D]
/// O(n^3) time and 8 n^2 bytes. Throws std::invalid_argument for other shapes, no points, and points that are not
/// finite.
double wasserstein2(const Tensor& a, const Tensor& b);

}  // namespace rill::flow
