// A network of a point, a time and a class: what velocities, scores and noise predictions are learned with.
#pragma once

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "nn/module.hpp"

namespace rill::nn {

/// f(x, t, label): numbers of the shape of x. What they mean is up to the model that trains it (flow/model/). A
/// class-conditional network knows one label more than it has classes: label `classes()` stands for "no class".
/// Training that hides some labels this way learns the unconditional function too, which is what classifier-free
/// guidance needs (Ho and Salimans 2022).
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
  /// What every forward() begins with: throws as it says.
  void check_input(const Tensor& x, const Tensor& t, const Indices& labels) const;
  /// The row of a table of classes() + 1 vectors that belongs to each of `count` points.
  Indices class_rows(const Indices& labels, Index count) const;

 private:
  Index dimension_, classes_;
};

}  // namespace rill::nn
