// A chain of layers.
#pragma once

#include <memory>
#include <vector>

#include "nn/activation.hpp"
#include "nn/module.hpp"

namespace rill::nn {

/// y = layer_{n-1}(... layer_1(layer_0(x))). The layers are named "0", "1", ... An activation is fused with the layer
/// before it.
class Sequential : public Layer {
 public:
  explicit Sequential(std::vector<std::shared_ptr<Layer>> layers);

  using Layer::forward;
  Tensor forward(const Tensor& x) const override;

 private:
  struct Stage {
    std::shared_ptr<Layer> layer;
    std::shared_ptr<Activation> activation;  // of the layer's output, or null
  };
  std::vector<Stage> stages_;
};

}  // namespace rill::nn
