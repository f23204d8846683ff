// Velocity fields, which models learn and solvers integrate.
#pragma once

#include <functional>
#include <memory>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

/// u(x, t): the velocity at points x [N, ...] and times t [N], in the shape of x. Any callable: a network, a formula,
/// the exact field of a data set.
using Velocity = std::function<Tensor(const Tensor& x, const Tensor& t)>;

/// u(x, t, label): the velocity of a trained model, with guidance or with mixtures of its classes. It owns its parts,
/// so fields can wrap each other and be passed around.
class VelocityField {
 public:
  VelocityField(Index dimension, Index classes) : dimension_(dimension), classes_(classes) {}
  virtual ~VelocityField() = default;
  VelocityField(const VelocityField&) = delete;
  VelocityField& operator=(const VelocityField&) = delete;

  /// x: [N, dimension()], t: [N], labels: [N] in [0, classes()], where classes() stands for "no class", or none, which
  /// means no class for any of the points -> [N, dimension()]. May be called by several threads at once.
  /// Throws std::invalid_argument for other shapes or labels.
  virtual Tensor operator()(const Tensor& x, const Tensor& t, const Indices& labels = {}) const = 0;

  /// The dimension of a point.
  Index dimension() const { return dimension_; }
  /// The number of classes; 0 for an unconditional field.
  Index classes() const { return classes_; }

 protected:
  /// Throws as documented for operator().
  void check_input(const Tensor& x, const Tensor& t, const Indices& labels) const;

 private:
  Index dimension_, classes_;
};

/// The field with fixed labels, one for each point of the batches that it will be called with; or none.
Velocity with_labels(std::shared_ptr<const VelocityField> field, const Indices& labels);

}  // namespace rill::flow
