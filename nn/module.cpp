#include "nn/module.hpp"

#include "autodiff/error.hpp"

namespace rill::nn {

NamedTensors Module::named_parameters() const {
  NamedTensors all;
  collect("", all);
  return distinct("Module", all);
}

void Module::collect(const std::string& prefix, NamedTensors& all) const {
  for (const auto& [name, tensor] : parameters_) all.push_back({prefix + name, tensor});
  for (const auto& [name, module] : modules_) module->collect(prefix + name + ".", all);
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
  value.set_requires_grad();
  take_name(name);
  parameters_.push_back({name, value});
  return value;
}

void Module::add_module(const std::string& name, std::shared_ptr<Module> module) {
  require(module != nullptr, "Module: submodule '", name, "' is null");
  take_name(name);
  modules_.emplace_back(name, std::move(module));
}

void Module::take_name(const std::string& name) {
  require(!name.empty() && name.find('.') == std::string::npos, "Module: '", name,
          "' cannot name a part: expected a name without dots");
  require(names_.insert(name).second, "Module: the name '", name, "' is used twice");
}

}  // namespace rill::nn
