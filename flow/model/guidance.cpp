#include "flow/model/guidance.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"

namespace rill::flow {

GuidedVelocity::GuidedVelocity(std::shared_ptr<const VelocityField> field, double weight)
    : VelocityField(field->dimension(), field->classes()), field_(std::move(field)), weight_(weight) {
  require(classes() > 0, "guidance: the model has no classes; train one with labels, or sample without guidance");
  require(std::isfinite(weight), "guidance: expected a finite weight, got ", weight);
}

Tensor GuidedVelocity::operator()(const Tensor& x, const Tensor& t, const Indices& labels) const {
  check_input(x, t, labels);
  require(labels.size() > 0, "guidance: no labels to guide toward; give one for each point");
  if (weight_ == 0) return (*field_)(x, t);
  if (weight_ == 1) return (*field_)(x, t, labels);

  const Index points = x.dim(0);
  std::vector<Index> both(labels.begin(), labels.end());
  both.resize(2 * both.size(), classes());
  const Tensor v = (*field_)(concatenate({x, x}, 0), concatenate({t, t}, 0), Indices(std::move(both)));
  const Tensor conditional = slice(v, 0, 0, points), unconditional = slice(v, 0, points, 2 * points);
  return unconditional + weight_ * (conditional - unconditional);
}

std::string why_no_guidance(Index classes, double label_dropout) {
  if (classes == 0) return "this model was trained without classes";
  if (label_dropout == 0) {
    return "this model was trained with every label; train it with a label dropout such as 0.1";
  }
  return "";
}

Dynamics guided(Dynamics dynamics, double weight) {
  require(dynamics.no_guidance.empty(), dynamics.no_guidance);
  dynamics.velocity = std::make_shared<GuidedVelocity>(std::move(dynamics.velocity), weight);
  return dynamics;
}

ScoreLadder guided(ScoreLadder ladder, double weight) {
  require(ladder.no_guidance.empty(), ladder.no_guidance);
  ladder.score = std::make_shared<GuidedVelocity>(std::move(ladder.score), weight);
  return ladder;
}

}  // namespace rill::flow
