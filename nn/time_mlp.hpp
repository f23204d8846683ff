// A perceptron of a point, a time and a class: enough for a few dimensions.
#pragma once

#include <memory>

#include "autodiff/random.hpp"
#include "nn/embedding.hpp"
#include "nn/mlp.hpp"
#include "nn/time_embedding.hpp"
#include "nn/time_network.hpp"
#include "nn/time_network_description.hpp"

namespace rill::nn {

/// layers(concatenate(time features, x, class features)), an Mlp. Parameters: "layers.0.weight", "layers.0.bias",
/// "layers.2.weight", ..., and "class_embedding.weight" when there are classes.
class TimeMlp : public TimeNetwork {
 public:
  /// Uses every field; throws std::invalid_argument as make_time_network does.
  TimeMlp(const TimeNetworkDescription& description, Generator& rng);

  Tensor forward(const Tensor& x, const Tensor& t, const Indices& labels = {}) const override;

 private:
  TimeEmbedding time_embedding_;
  std::shared_ptr<Embedding> class_embedding_;  // null without classes
  std::shared_ptr<Mlp> layers_;
};

}  // namespace rill::nn
