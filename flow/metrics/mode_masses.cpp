#include "flow/metrics/mode_masses.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "flow/transport/pairwise.hpp"

namespace rill::flow {

std::optional<Estimate> share_in_support(const datasets::Density& density, const Tensor& x, double margin) {
  require_finite("share_in_support", x);
  const std::optional<Tensor> inside = density.in_support(x, margin);
  if (!inside) return std::nullopt;
  return share_of(*inside);
}

ModeMasses mode_masses(const datasets::Density& density, const Tensor& x) {
  ModeMasses result{.weights = density.mode_weights(), .shares = {}, .chi_square = {0, 0}, .least_filled = 0};
  require(!result.weights.empty(), density.name(), ": a density without modes");
  require(x.rank() == 2 && x.dim(0) > 0, "mode_masses: expected points [n, ", density.dimension(), "], got ",
          x.shape());
  require_finite("mode_masses", x);
  std::vector<Index> counts(result.weights.size(), 0);
  for (const Index mode : density.mode_of(x)) {
    if (mode >= 0) ++counts[static_cast<std::size_t>(mode)];
  }

  const double n = static_cast<double>(x.dim(0)), modes = static_cast<double>(result.weights.size());
  double slope_mean = 0, slope_square = 0;  // moments of d chi_square / d s_k, weighted by the shares
  result.least_filled = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < counts.size(); ++k) {
    const double s = static_cast<double>(counts[k]) / n, w = result.weights[k], slope = 2 * (s - w) / w;
    result.shares.push_back({s, std::sqrt(s * (1 - s) / n)});
    result.chi_square.value += (s - w) * (s - w) / w;
    result.least_filled = std::min(result.least_filled, s / w);
    slope_mean += s * slope;
    slope_square += s * slope * slope;
  }
  const double linear = (slope_square - slope_mean * slope_mean) / n, at_truth = 2 * (modes - 1) / (n * n);
  result.chi_square.standard_error = std::sqrt(std::max(linear - at_truth, at_truth));
  return result;
}

}  // namespace rill::flow
