#include "nn/activation.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/text.hpp"

namespace rill::nn {
namespace {

struct Named {
  const char* name;
  Tensor (*function)(const Tensor&);
};

constexpr Named kActivations[] = {
    {"relu", relu},
    {"leaky_relu", [](const Tensor& x) { return leaky_relu(x); }},
    {"elu", [](const Tensor& x) { return elu(x); }},
    {"selu", selu},
    {"gelu", gelu},
    {"silu", silu},
    {"tanh", tanh},
    {"softplus", softplus},
    {"sigmoid", sigmoid},
};

}  // namespace

Activation::Activation(const std::string& name) : function_(nullptr) {
  for (const Named& activation : kActivations) {
    if (name == activation.name) function_ = activation.function;
  }
  require(function_ != nullptr, "activation '", name, "' is unknown: expected one of ", joined(activation_names()));
}

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const Named& activation : kActivations) names.emplace_back(activation.name);
  return names;
}

}  // namespace rill::nn
