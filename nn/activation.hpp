// Activation functions chosen by name.
#pragma once

#include <string>
#include <vector>

#include "nn/module.hpp"

namespace rill::nn {

/// A function applied to every element, any shape; the formulas are in autodiff/ops.hpp.
class Activation : public Layer {
 public:
  /// Throws std::invalid_argument for an unknown name, listing the known ones.
  explicit Activation(const std::string& name);

  using Layer::forward;
  Tensor forward(const Tensor& x) const override { return function_->apply(x); }
  const rill::Activation& function() const { return *function_; }

 private:
  const rill::Activation* function_;
};

/// The names in rill::activations().
std::vector<std::string> activation_names();

}  // namespace rill::nn
