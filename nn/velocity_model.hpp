// What a flow is learned with: a network that maps a point and a time to a velocity.
#pragma once

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "nn/module.hpp"

namespace rill::nn {

/// v(x, t, label). A class-conditional model knows one label more than it has classes: label `classes()` stands for
/// "no class". Training that hides some labels this way learns the unconditional velocity too, which is what
/// classifier-free guidance needs (Ho and Salimans 2022).
class VelocityModel : public Module {
 public:
  /// Throws std::invalid_argument unless 0 < dimension <= 2^40 and 0 <= classes <= 2^40.
  VelocityModel(Index dimension, Index classes);

  /// x: [N, dimension()], t: [N], labels: [N] in [0, classes()] or none, which means no class for any of the points
  /// -> [N, dimension()]
  /// Throws std::invalid_argument for other shapes or labels.
  virtual Tensor forward(const Tensor& x, const Tensor& t, const Indices& labels = {}) const = 0;

  /// True for a model that also learns a score (nn/velocity_score_model.hpp).
  virtual bool has_score() const { return false; }
  /// (sigma^2 / 2) grad log p_t(x), of the shape of x: what a diffusion of strength sigma, that of the Schroedinger
  /// bridge the model was trained on, adds to the velocity. Throws std::invalid_argument for a model without score.
  virtual Tensor score_drift(const Tensor& x, const Tensor& t, const Indices& labels = {}) const;

  Index dimension() const { return dimension_; }
  Index classes() const { return classes_; }

 protected:
  /// What every forward() begins with: throws as it says.
  void check_input(const Tensor& x, const Tensor& t, const Indices& labels) const;
  /// The row of a table of classes() + 1 vectors that belongs to each of `count` points.
  Indices class_rows(const Indices& labels, Index count) const;

 private:
  Index dimension_, classes_;
};

}  // namespace rill::nn
