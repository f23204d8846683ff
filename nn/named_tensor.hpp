// A tensor and its name in messages and files.
#pragma once

#include <string>
#include <vector>

#include "autodiff/memory.hpp"
#include "autodiff/tensor.hpp"

namespace rill::nn {

struct NamedTensor {
  std::string name;  ///< its path from the root of the model: "layers.0.weight"
  Tensor tensor;
};
using NamedTensors = std::vector<NamedTensor>;

/// For each tensor: 1 if its buffer occurs earlier in the list, 0 if it is new. A layer that a network uses twice gives
/// such a repetition, and code that must treat each parameter once skips it.
/// Throws std::invalid_argument if two tensors share a buffer but not a gradient: each would then train it by its own
/// part of the gradient.
memory::Vector<char> repetitions(const NamedTensors& tensors);

/// Each buffer once, under its first name, in order. Throws std::invalid_argument, beginning with `what`, for a name
/// that two buffers have, for an undefined tensor, and as repetitions() does.
NamedTensors distinct(const char* what, const NamedTensors& tensors);

/// The same tensors, renamed prefix + name.
NamedTensors add_prefix(const std::string& prefix, NamedTensors tensors);

/// The tensors whose names start with the prefix, with the prefix removed.
NamedTensors take_prefix(const std::string& prefix, const NamedTensors& tensors);

/// Throws FileError, which begins with `file` and names the tensor, if any number is NaN or infinite.
void require_finite(const NamedTensors& tensors, const std::string& file);

/// Throws FileError if a target has no value of its name, a value no target, or their shapes differ. The message begins
/// with `file`, the source of the values.
void require_matching(const NamedTensors& targets, const NamedTensors& values, const std::string& file);

/// Copies into each target's buffer the numbers of the value of the same name. Throws as require_matching() does,
/// before anything is copied.
void assign(const NamedTensors& targets, const NamedTensors& values, const std::string& file);

}  // namespace rill::nn
