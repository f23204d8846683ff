#include "nn/velocity_score_model.hpp"

#include "nn/model.hpp"

namespace rill::nn {
namespace {

ModelDescription without_score(ModelDescription description) {
  description.score = false;
  return description;
}

}  // namespace

VelocityScoreModel::VelocityScoreModel(const ModelDescription& description, Generator& rng)
    : VelocityModel(description.dimension, description.classes),
      velocity_(register_module("velocity", make_model(without_score(description), rng))),
      score_(register_module("score", make_model(without_score(description), rng))) {}

Tensor VelocityScoreModel::forward(const Tensor& x, const Tensor& t, const Indices& labels) const {
  return velocity_->forward(x, t, labels);
}

Tensor VelocityScoreModel::score_drift(const Tensor& x, const Tensor& t, const Indices& labels) const {
  return score_->forward(x, t, labels);
}

}  // namespace rill::nn
