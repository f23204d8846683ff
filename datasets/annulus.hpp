// A ring with sharp edges.
#pragma once

#include "datasets/density.hpp"

namespace rill::datasets {

/// (r cos a, r sin a) with a ~ U[0, 2 pi) and r ~ U[inner, outer]: uniform in radius, not in area, so
///   p(x) = 1 / (2 pi r (outer - inner)),   r = |x|,   inner <= r <= outer
///   entropy = ln(2 pi (outer - inner)) + (outer ln outer - inner ln inner) / (outer - inner) - 1
class Annulus final : public Density {
 public:
  /// Throws std::invalid_argument unless 0 < inner < outer.
  explicit Annulus(double inner = 2, double outer = 3);

  std::string name() const override { return "annulus"; }
  Index dimension() const override { return 2; }
  Tensor sample(Index n, Generator& rng) const override;
  std::optional<Tensor> log_density(const Tensor& x) const override;
  std::optional<double> entropy() const override;
  std::optional<Tensor> distance_to_support(const Tensor& x) const override;

 private:
  double inner_, outer_;
};

}  // namespace rill::datasets
