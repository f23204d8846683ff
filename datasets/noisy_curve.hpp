// The common part of moons, S-curves, Swiss rolls and rings: a curve in the plane with Gaussian noise.
#pragma once

#include "datasets/density.hpp"

namespace rill::datasets {

/// x = c(u) + noise z with u ~ U[0, 1) and z ~ N(0, I), hence
///   p(x) = integral over [0, 1] of N(x; c(u), noise^2 I) du
///
/// The integral is computed by Gauss-Legendre quadrature: 16 nodes on each stretch of c that is at most four standard
/// deviations of the noise long, which makes the error smaller than the rounding of a double. Quadrature is a weighted
/// sum of normal densities, so it is evaluated as a mixture of Gaussians.
class NoisyCurve : public Density {
 public:
  Index dimension() const final { return 2; }
  Tensor sample(Index n, Generator& rng) const final;
  /// nullopt if there is no noise: all the probability is then on the curve.
  std::optional<Tensor> log_density(const Tensor& x) const final;

 protected:
  /// `noise` is the standard deviation in the units of x. c may jump at i / pieces and is smooth in between.
  /// Throws std::invalid_argument, naming the density, for a negative noise.
  NoisyCurve(const std::string& name, double noise, Index pieces);

  /// c(u), [n] -> [n, 2].
  virtual Tensor curve(const Tensor& u) const = 0;

 private:
  double noise_;
  Index pieces_;
};

}  // namespace rill::datasets
