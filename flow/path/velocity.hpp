// Velocity fields: what flows are learned as and what solvers integrate.
#pragma once

#include <functional>
#include <memory>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

/// u(x, t): the velocity at the points x [N, ...] at times t [N], of the shape of x. Any callable will do: a network,
/// a formula, the exact field of a data set.
using Velocity = std::function<Tensor(const Tensor& x, const Tensor& t)>;

/// u(x, t, label): the velocity of a trained model, of the same model guided, of a mixture of its classes. It owns what
/// it is made of, so that fields can be wrapped around each other and handed on.
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

  /// Numbers in a point.
  Index dimension() const { return dimension_; }
  /// Number of labels; 0 for a field without.
  Index classes() const { return classes_; }

 protected:
  /// Throws as operator() says.
  void check_input(const Tensor& x, const Tensor& t, const Indices& labels) const;

 private:
  Index dimension_, classes_;
};

/// The field with labels held fixed, one for each point of the batches that it will be asked for; or none.
Velocity with_labels(std::shared_ptr<const VelocityField> field, const Indices& labels);

}  // namespace rill::flow
