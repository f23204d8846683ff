// Activation functions chosen by name.
#pragma once

#include <string>
#include <vector>

#include "nn/module.hpp"

namespace rill::nn {

/// A function applied to every element, any shape; the formulas are in autodiff/ops.hpp.
class Activation : public Layer {
 public:
  /// Throws std::invalid_argument, listing the names there are, for any other.
  explicit Activation(const std::string& name);

  Tensor forward(const Tensor& x) const override { return function_(x); }

 private:
  Tensor (*function_)(const Tensor&);
};

/// relu, leaky_relu, elu, selu, gelu, silu, tanh, softplus, sigmoid.
std::vector<std::string> activation_names();

}  // namespace rill::nn
