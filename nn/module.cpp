#include "nn/module.hpp"

#include "autodiff/error.hpp"

namespace rill::nn {

NamedTensors Module::named_parameters() const {
  NamedTensors all = parameters_;
  for (const auto& [name, module] : modules_) {
    for (NamedTensor& parameter : add_prefix(name + ".", module->named_parameters())) {
      all.push_back(std::move(parameter));
    }
  }
  return all;
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> all;
  for (NamedTensor& parameter : named_parameters()) all.push_back(std::move(parameter.tensor));
  return all;
}

Index Module::parameter_count() const {
  Index count = 0;
  for (const Tensor& parameter : parameters()) count += parameter.size();
  return count;
}

void Module::clear_grad() {
  for (Tensor& parameter : parameters()) parameter.clear_grad();
}

Tensor Module::register_parameter(const std::string& name, Tensor value) {
  check_name(name);
  value.set_requires_grad();
  parameters_.push_back({name, value});
  return value;
}

void Module::add_module(const std::string& name, std::shared_ptr<Module> module) {
  check_name(name);
  require(module != nullptr, "Module: submodule '", name, "' is null");
  modules_.emplace_back(name, std::move(module));
}

void Module::check_name(const std::string& name) const {
  require(!name.empty() && name.find('.') == std::string::npos, "Module: '", name,
          "' cannot name a part: expected a name without dots");
  bool used = false;
  for (const NamedTensor& parameter : parameters_) used |= parameter.name == name;
  for (const auto& module : modules_) used |= module.first == name;
  require(!used, "Module: the name '", name, "' is used twice");
}

}  // namespace rill::nn
