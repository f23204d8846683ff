#include "nn/activation.hpp"

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"

namespace rill::nn {

Activation::Activation(const std::string& name) : function_(nullptr) {
  for (const rill::Activation& activation : activations()) {
    if (name == activation.name) function_ = &activation;
  }
  require(function_ != nullptr, "activation '", name, "' is unknown: expected one of ", joined(activation_names()));
}

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const rill::Activation& activation : activations()) names.emplace_back(activation.name);
  return names;
}

}  // namespace rill::nn
