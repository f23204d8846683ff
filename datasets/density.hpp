// A data distribution, to sample from and, where there is a formula, to evaluate.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace rill::datasets {

/// One component of a mixture: its weight and its center.
struct Mode {
  double weight;
  std::vector<double> mean;
};

/// A probability density on R^d. Samples depend only on the generator, so a seed gives the same on every machine.
/// Tensors of points are [n, d]; a wrong shape throws std::invalid_argument.
class Density {
 public:
  virtual ~Density() = default;

  /// Its name for make_density(), such as "annulus".
  virtual std::string name() const = 0;
  /// d.
  virtual Index dimension() const = 0;

  /// n independent points, [n, d].
  virtual Tensor sample(Index n, Generator& rng) const = 0;

  /// ln p(x) in nats, [n, d] -> [n]; -infinity outside the support. Made of ops, so gradients flow to x.
  /// nullopt if p cannot be computed to the precision of a Real.
  virtual std::optional<Tensor> log_density(const Tensor& x) const;

  /// The differential entropy E[-ln p(x)] in nats, where a closed form exists.
  virtual std::optional<double> entropy() const { return std::nullopt; }

  /// The Euclidean distance of each point to the support, [n, d] -> [n]; 0 inside it; no gradient. Distances
  /// within the rounding error of a Real count as 0, so every sample is inside. nullopt for densities without a
  /// sharp boundary.
  virtual std::optional<Tensor> distance_to_support(const Tensor& x) const;

  /// The components of a mixture; empty for other densities.
  virtual std::vector<Mode> modes() const { return {}; }

  /// The probability of each mode: the components of a mixture, the occupied cells of a board. They add up to 1; empty
  /// for densities without modes.
  virtual std::vector<double> mode_weights() const;
  /// The index of the mode that each point is in, [n, d] -> n numbers; -1 for none. For a mixture, it is the mode whose
  /// center is nearest. All -1 for densities without modes.
  virtual std::vector<Index> mode_of(const Tensor& x) const;

  /// 1 for points at most `margin` away from the support and 0 for the others, [n, d] -> [n].
  std::optional<Tensor> in_support(const Tensor& x, double margin = 0) const;
  /// The fraction of the points in the support: the mean of in_support().
  std::optional<double> share_in_support(const Tensor& x, double margin = 0) const;

 protected:
  /// Throws std::invalid_argument, naming the density, unless x is [n, dimension()].
  void require_points(const Tensor& x) const;
};

/// The points (x, y) in the plane: [n] and [n] -> [n, 2].
Tensor columns(const Tensor& x, const Tensor& y);

}  // namespace rill::datasets
