// A tensor and the name it goes by in messages and in files.
#pragma once

#include <string>
#include <vector>

#include "autodiff/tensor.hpp"

namespace rill::nn {

struct NamedTensor {
  std::string name;  ///< dotted from the root of a model down: "layers.0.weight"
  Tensor tensor;
};
using NamedTensors = std::vector<NamedTensor>;

/// The same tensors under prefix + name.
NamedTensors add_prefix(const std::string& prefix, NamedTensors tensors);

/// Those of the tensors whose names start with the prefix, without it.
NamedTensors take_prefix(const std::string& prefix, const NamedTensors& tensors);

/// Copies into each target's buffer the numbers of the value that has its name. `file`, where the values come from,
/// begins the message. Throws FileError, before anything is copied, when a target has no value, a value no target,
/// or their shapes differ.
void assign(const NamedTensors& targets, const NamedTensors& values, const std::string& file);

}  // namespace rill::nn
