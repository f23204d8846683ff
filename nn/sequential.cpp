#include "nn/sequential.hpp"

#include <string>
#include <utility>

namespace rill::nn {

Sequential::Sequential(std::vector<std::shared_ptr<Layer>> layers) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    register_module(std::to_string(i), layers[i]);
    const auto activation = std::dynamic_pointer_cast<Activation>(layers[i]);
    if (activation && !stages_.empty() && !stages_.back().activation) {
      stages_.back().activation = activation;
    } else {
      stages_.push_back({std::move(layers[i]), nullptr});
    }
  }
}

Tensor Sequential::forward(const Tensor& x) const {
  Tensor y = x;
  for (const Stage& stage : stages_) {
    y = stage.activation ? stage.layer->forward(y, stage.activation->function()) : stage.layer->forward(y);
  }
  return y;
}

}  // namespace rill::nn
