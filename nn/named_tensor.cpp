#include "nn/named_tensor.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"

namespace rill::nn {

memory::Vector<char> repetitions(const NamedTensors& tensors) {
  memory::Vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto buffer = [&](std::size_t i) { return tensors[i].tensor.storage().get(); };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return buffer(a) != buffer(b) ? std::less<>()(buffer(a), buffer(b)) : a < b;
  });
  memory::Vector<char> result(tensors.size(), 0);
  for (std::size_t k = 1; k < order.size(); ++k) {
    const std::size_t first = order[k - 1], second = order[k];
    if (buffer(first) != buffer(second)) continue;
    require(tensors[first].tensor.node() == tensors[second].tensor.node(), "parameters: '", tensors[first].name,
            "' and '", tensors[second].name, "' share a buffer but not a gradient; give both the same leaf: call ",
            "set_requires_grad() before the tensor is copied");
    result[second] = 1;
  }
  return result;
}

NamedTensors distinct(const char* what, const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) require(tensor.defined(), what, ": parameter '", name, "' is undefined");
  const memory::Vector<char> repeated = repetitions(tensors);
  NamedTensors result;
  std::set<std::string> names;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (repeated[i]) continue;
    require(names.insert(tensors[i].name).second, what, ": the name '", tensors[i].name,
            "' is used twice, for different parameters");
    result.push_back(tensors[i]);
  }
  return result;
}

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

void require_finite(const NamedTensors& tensors, const std::string& file) {
  for (const auto& [name, tensor] : tensors) {
    const Real* const end = tensor.data() + tensor.size();
    const Real* const bad = std::find_if_not(tensor.data(), end, [](Real v) { return std::isfinite(v); });
    require_file(bad == end, file, "tensor '", name, "' holds ", bad == end ? 0 : *bad, " at position ",
                 bad - tensor.data(),
                 ", expected finite numbers: the file cannot be used; take an earlier one, or train ", "again");
  }
}

namespace {

// The value of each target. Throws as require_matching() does.
std::vector<const Tensor*> values_of(const NamedTensors& targets, const NamedTensors& values, const std::string& file) {
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
  require_file(unused.empty(), file, "unexpected tensor ", in_quotes(unused.empty() ? "" : unused.begin()->first));
  return sources;
}

}  // namespace

void require_matching(const NamedTensors& targets, const NamedTensors& values, const std::string& file) {
  values_of(targets, values, file);
}

void assign(const NamedTensors& targets, const NamedTensors& values, const std::string& file) {
  const std::vector<const Tensor*> sources = values_of(targets, values, file);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    Tensor target = targets[i].tensor;
    std::copy_n(sources[i]->data(), target.size(), target.data());
  }
}

}  // namespace rill::nn
