#include "nn/activation.hpp"

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"

namespace rill::nn {

Activation::Activation(const std::string& name) : function_(nullptr) {
  for (const rill::Activation& activation : activations()) {
    if (name == activation.name) function_ = &activation;
  }
  if (function_ == nullptr) fail(unknown_name("activation", name, activation_names()));
}

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const rill::Activation& activation : activations()) names.emplace_back(activation.name);
  return names;
}

}  // namespace rill::nn
