// Dropout, and the scope in which networks are in training mode.
#pragma once

#include "autodiff/random.hpp"
#include "nn/module.hpp"

namespace rill::nn {

/// While it lives, networks that run on this thread are in training mode: their Dropout layers draw from the generator,
/// one draw per layer in the order they run. Outside, they are the identity. A network itself has no mode, so sampling
/// or evaluation between two steps cannot leave it in the wrong one. Scopes nest; the innermost is in force.
class TrainingScope {
 public:
  explicit TrainingScope(Generator& rng);
  ~TrainingScope();
  TrainingScope(const TrainingScope&) = delete;
  TrainingScope& operator=(const TrainingScope&) = delete;

  /// The generator of this thread's innermost scope; null outside any scope.
  static Generator* generator();

 private:
  Generator* previous_;
};

/// In training, every number of x is 0 with probability p, else x / (1 - p); otherwise x   (Srivastava et al. 2014).
class Dropout : public Layer {
 public:
  /// Throws std::invalid_argument unless 0 <= p < 1.
  explicit Dropout(double p);

  using Layer::forward;
  Tensor forward(const Tensor& x) const override;

 private:
  double p_;
};

}  // namespace rill::nn
