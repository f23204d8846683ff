// A tensor and the name it goes by in messages and in files.
#pragma once

#include <string>
#include <vector>

#include "autodiff/memory.hpp"
#include "autodiff/tensor.hpp"

namespace rill::nn {

struct NamedTensor {
  std::string name;  ///< dotted from the root of a model down: "layers.0.weight"
  Tensor tensor;
};
using NamedTensors = std::vector<NamedTensor>;

/// For each tensor in turn: 1 when its buffer stands earlier in the list, 0 when it is new. A layer that a network
/// uses twice is such a case; whatever is done once for each parameter must skip the repetition.
/// Throws std::invalid_argument for a buffer that two tensors hold without sharing a gradient: each would then train
/// it by its own part of the gradient.
memory::Vector<char> repetitions(const NamedTensors& tensors);

/// Each buffer once, under its first name, in order. Throws std::invalid_argument, beginning with `what`, for a name
/// that two buffers have, for an undefined tensor, and as repetitions() does.
NamedTensors distinct(const char* what, const NamedTensors& tensors);

/// The same tensors under prefix + name.
NamedTensors add_prefix(const std::string& prefix, NamedTensors tensors);

/// Those of the tensors whose names start with the prefix, without it.
NamedTensors take_prefix(const std::string& prefix, const NamedTensors& tensors);

/// Throws FileError, which begins with `file` and names the tensor, when a number in them is NaN or infinite.
void require_finite(const NamedTensors& tensors, const std::string& file);

/// Copies into each target's buffer the numbers of the value that has its name. `file`, where the values come from,
/// begins the message. Throws FileError, before anything is copied, when a target has no value, a value no target,
/// or their shapes differ.
void assign(const NamedTensors& targets, const NamedTensors& values, const std::string& file);

}  // namespace rill::nn
