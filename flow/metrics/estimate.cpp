#include "flow/metrics/estimate.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "autodiff/error.hpp"

namespace rill::flow {

Estimate mean_of(std::span<const double> terms) {
  require(!terms.empty(), "mean_of: expected at least one term");
  const double n = static_cast<double>(terms.size());
  double sum = 0, squares = 0;
  for (const double x : terms) sum += x;
  const double mean = sum / n;
  if (terms.size() < 2 || !std::isfinite(mean)) return {mean, std::numeric_limits<double>::infinity()};
  for (const double x : terms) squares += (x - mean) * (x - mean);
  return {mean, std::sqrt(squares / (n * (n - 1)))};
}

Estimate mean_of(const Tensor& terms) {
  return mean_of(std::vector<double>(terms.values().begin(), terms.values().end()));
}

Estimate share_of(const Tensor& zeros_and_ones) {
  const double p = mean_of(zeros_and_ones).value;
  return {p, std::sqrt(p * (1 - p) / static_cast<double>(zeros_and_ones.size()))};
}

}  // namespace rill::flow
