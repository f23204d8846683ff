// Layers one after the other.
#pragma once

#include <memory>
#include <vector>

#include "nn/module.hpp"

namespace rill::nn {

/// y = layer_{n-1}(... layer_1(layer_0(x))). The layers are named "0", "1", ...
class Sequential : public Layer {
 public:
  explicit Sequential(std::vector<std::shared_ptr<Layer>> layers);

  Tensor forward(const Tensor& x) const override;

 private:
  std::vector<std::shared_ptr<Layer>> layers_;
};

}  // namespace rill::nn
