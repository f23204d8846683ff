// Whether samples cover a density: its support, and each of its modes in proportion.
#pragma once

#include <optional>
#include <vector>

#include "autodiff/tensor.hpp"
#include "datasets/density.hpp"
#include "flow/metrics/estimate.hpp"

namespace rill::flow {

/// The fraction of the points that are within `margin` of the support, with the binomial standard error; nullopt for
/// densities without a sharp boundary. Throws std::invalid_argument for points that are not finite.
std::optional<Estimate> share_in_support(const datasets::Density& density, const Tensor& x, double margin = 0);

/// The probability of each mode of a density (datasets::Density::mode_weights), and its share of a sample.
struct ModeMasses {
  std::vector<double> weights;   ///< of the density, w_k; they add up to 1
  std::vector<Estimate> shares;  ///< of the points, s_k, with binomial standard errors
  /// The chi-square distance sum_k (s_k - w_k)^2 / w_k over K modes. For n points of the density itself, its mean is
  /// (K - 1) / n and its variance 2 (K - 1) / n^2 (Pearson 1900). For other points, the variance is that of its
  /// linearization, whose estimate is too large by 2 (K - 1) / n^2; the standard error is the root of the larger one.
  Estimate chi_square;
  /// The least s_k / w_k: 1 if all shares are right, 0 if a mode is missed.
  double least_filled;
};

/// Counts the points x: [n, D] by mode; those in no mode count only toward n. Throws std::invalid_argument for no
/// points, points that are not finite, and a density without modes.
ModeMasses mode_masses(const datasets::Density& density, const Tensor& x);

}  // namespace rill::flow
