#include "datasets/noisy_curve.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "datasets/gaussians.hpp"
#include "datasets/quadrature.hpp"

namespace rill::datasets {

NoisyCurve::NoisyCurve(const std::string& name, double noise, Index pieces) : noise_(noise), pieces_(pieces) {
  require(noise >= 0 && std::isfinite(noise), name, ": noise ", noise, ", expected a standard deviation of at least 0");
}

Tensor NoisyCurve::sample(Index n, Generator& rng) const {
  const Tensor on_curve = curve(Tensor::rand({n}, rng));
  return on_curve + noise_ * Tensor::randn({n, 2}, rng);
}

std::optional<Tensor> NoisyCurve::log_density(const Tensor& x) const {
  require_points(x);
  if (noise_ == 0) return std::nullopt;
  const double pieces = static_cast<double>(pieces_);

  // The speed of the curve: the longest step between neighbors on a fine grid over each piece, excluding jumps.
  constexpr Index kSteps = 512;
  const Tensor grid = curve((Tensor::linspace(0, pieces_ * kSteps - 1, pieces_ * kSteps) + 0.5) / (pieces * kSteps));
  double longest = 0;
  for (Index i = 0; i + 1 < grid.dim(0); ++i) {
    const Real* p = grid.data() + 2 * i;
    if ((i + 1) % kSteps != 0) longest = std::max<double>(longest, std::hypot(p[2] - p[0], p[3] - p[1]));
  }
  const double length = longest * kSteps;  // of a piece, at most
  const Index panels = pieces_ * static_cast<Index>(1 + length / (4 * noise_));

  static const Quadrature rule = gauss_legendre(16);
  std::vector<Real> nodes;
  std::vector<double> weights;
  for (Index panel = 0; panel < panels; ++panel) {
    for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
      nodes.push_back(static_cast<Real>((static_cast<double>(panel) + rule.nodes[i]) / static_cast<double>(panels)));
      weights.push_back(rule.weights[i]);
    }
  }
  const Tensor means = curve(Tensor::from(nodes, {static_cast<Index>(nodes.size())}));
  const std::vector<double> deviations(weights.size(), noise_);
  return GaussianMixture(weights, means, deviations).log_density(x);
}

}  // namespace rill::datasets
