#include "flow/model/guidance.hpp"

#include <cmath>
#include <vector>

#include "autodiff/error.hpp"

namespace rill::flow {

GuidedModel::GuidedModel(const nn::VelocityModel& model, double weight)
    : VelocityModel(model.dimension(), model.classes()), model_(model), weight_(weight) {
  require(model.classes() > 0, "guidance: the model has no classes; train one with labels, or sample without guidance");
  require(std::isfinite(weight), "guidance: expected a finite weight, got ", weight);
}

Tensor GuidedModel::forward(const Tensor& x, const Tensor& t, const Indices& labels) const {
  check_input(x, t, labels);
  require(labels.size() > 0, "guidance: no labels to guide towards; give one for each point");
  if (weight_ == 0) return model_.forward(x, t);
  if (weight_ == 1) return model_.forward(x, t, labels);

  const Index points = x.dim(0);
  std::vector<Index> both(labels.begin(), labels.end());
  both.resize(2 * both.size(), classes());
  const Tensor v = model_.forward(concatenate({x, x}, 0), concatenate({t, t}, 0), Indices(std::move(both)));
  const Tensor conditional = slice(v, 0, 0, points), unconditional = slice(v, 0, points, 2 * points);
  return unconditional + weight_ * (conditional - unconditional);
}

}  // namespace rill::flow
