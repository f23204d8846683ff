// Whether samples fill what a density has: its support, and each of its modes with its share.
#pragma once

#include <optional>
#include <vector>

#include "autodiff/tensor.hpp"
#include "datasets/density.hpp"
#include "flow/metrics/estimate.hpp"

namespace rill::flow {

/// The share of the points that are within `margin` of the support, with the binomial standard error; nothing for
/// densities without a sharp support. Throws std::invalid_argument for points that are not finite.
std::optional<Estimate> share_in_support(const datasets::Density& density, const Tensor& x, double margin = 0);

/// What each mode of a density holds (datasets::Density::mode_weights) of the probability, and of a sample.
struct ModeMasses {
  std::vector<double> weights;   ///< of the density, w_k; they add up to 1
  std::vector<Estimate> shares;  ///< of the points, s_k, with binomial standard errors
  /// The chi-square distance sum_k (s_k - w_k)^2 / w_k of K modes. For n points of the density itself its mean is
  /// (K - 1) / n and its variance 2 (K - 1) / n^2 (Pearson 1900). Elsewhere its variance is that of its linear part
  /// there, whose estimate exceeds it by 2 (K - 1) / n^2; the standard error is the root of the larger of the two.
  Estimate chi_square;
  /// The least s_k / w_k: 1 where all is right, 0 where a mode is missed.
  double least_filled;
};

/// Counts the points x: [n, D] by mode; those in no mode count in n only. Throws std::invalid_argument for no
/// points, points that are not finite, and a density without modes.
ModeMasses mode_masses(const datasets::Density& density, const Tensor& x);

}  // namespace rill::flow
