#include "nn/named_tensor.hpp"

#include <algorithm>
#include <map>

#include "autodiff/error.hpp"

namespace rill::nn {

NamedTensors add_prefix(const std::string& prefix, NamedTensors tensors) {
  for (NamedTensor& named : tensors) named.name.insert(0, prefix);
  return tensors;
}

NamedTensors take_prefix(const std::string& prefix, const NamedTensors& tensors) {
  NamedTensors taken;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) taken.push_back({name.substr(prefix.size()), tensor});
  }
  return taken;
}

void assign(const NamedTensors& targets, const NamedTensors& values, const std::string& file) {
  std::map<std::string, const Tensor*> unused;
  for (const auto& [name, tensor] : values) unused[name] = &tensor;
  std::vector<const Tensor*> sources;
  for (const auto& [name, target] : targets) {
    const auto value = unused.find(name);
    require_file(value != unused.end(), file, "has no tensor '", name, "' of shape ", target.shape());
    require_file(value->second->shape() == target.shape(), file, "tensor '", name, "' has shape ",
                 value->second->shape(), ", expected ", target.shape());
    sources.push_back(value->second);
    unused.erase(value);
  }
  require_file(unused.empty(), file, "unexpected tensor '", unused.empty() ? "" : unused.begin()->first, "'");
  for (std::size_t i = 0; i < targets.size(); ++i) {
    Tensor target = targets[i].tensor;
    std::copy_n(sources[i]->data(), target.size(), target.data());
  }
}

}  // namespace rill::nn
