// The velocity of a flow in a few dimensions: a plain multilayer perceptron.
#pragma once

#include <optional>

#include "autodiff/random.hpp"
#include "nn/embedding.hpp"
#include "nn/model_description.hpp"
#include "nn/sequential.hpp"
#include "nn/time_embedding.hpp"
#include "nn/velocity_model.hpp"

namespace rill::nn {

/// layers(concatenate(time features, x, class features)): linear layers of the hidden sizes, each followed by the
/// activation, and a linear layer to the dimension. Parameters: "layers.0.weight", "layers.0.bias", "layers.2.weight",
/// ... (the activations between count), and "class_embedding.weight" when there are classes.
class Mlp : public VelocityModel {
 public:
  /// Uses every field; throws std::invalid_argument as make_model does.
  Mlp(const ModelDescription& description, Generator& rng);

  Tensor forward(const Tensor& x, const Tensor& t, const Indices& labels = {}) const override;

 private:
  TimeEmbedding time_embedding_;
  std::shared_ptr<Embedding> class_embedding_;  // null without classes
  std::shared_ptr<Sequential> layers_;
};

}  // namespace rill::nn
