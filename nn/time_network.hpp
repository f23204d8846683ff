// A network of a point, a time and a class, to learn velocities, scores and noise predictions.
#pragma once

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "nn/module.hpp"

namespace rill::nn {

/// f(x, t, label), a tensor of the shape of x. What it means is up to the model that trains it (flow/model/). A
/// class-conditional network has one label more than classes: label `classes()` means "no class". Training with some
/// labels replaced by it also learns the unconditional function, as classifier-free guidance needs (Ho and Salimans
/// 2022).
class TimeNetwork : public Module {
 public:
  /// Throws std::invalid_argument unless 0 < dimension <= 2^40 and 0 <= classes <= 2^40.
  TimeNetwork(Index dimension, Index classes);

  /// x: [N, dimension()], t: [N], labels: [N] in [0, classes()] or none, which means no class for any of the points
  /// -> [N, dimension()]
  /// Throws std::invalid_argument for other shapes or labels.
  virtual Tensor forward(const Tensor& x, const Tensor& t, const Indices& labels = {}) const = 0;

  Index dimension() const { return dimension_; }
  Index classes() const { return classes_; }

 protected:
  /// Checks the arguments, as every forward() does first; throws as documented there.
  void check_input(const Tensor& x, const Tensor& t, const Indices& labels) const;
  /// The row of each of `count` points in a table of classes() + 1 vectors.
  Indices class_rows(const Indices& labels, Index count) const;

 private:
  Index dimension_, classes_;
};

}  // namespace rill::nn
