// How parameters start out.
#pragma once

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace rill::nn {

/// Numbers uniform in [-b, b), b = 1 / sqrt(fan_in), where fan_in is how many inputs are summed into one output.
/// This is PyTorch's default for the weight and the bias of a linear layer: kaiming_uniform (He et al. 2015, b = gain
/// sqrt(3 / fan_in)) with the gain of a leaky relu of slope sqrt(5), sqrt(2 / (1 + 5)).
/// Throws std::invalid_argument unless fan_in > 0.
Tensor uniform_by_fan_in(const Shape& shape, Index fan_in, Generator& rng);

}  // namespace rill::nn
