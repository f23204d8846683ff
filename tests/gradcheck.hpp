// Gradients against central differences: the checker for all ops and layers.
#pragma once

#include <functional>
#include <vector>

#include "autodiff/tensor.hpp"

namespace rill::testing {

using TensorFunction = std::function<Tensor(const std::vector<Tensor>&)>;

/// The largest relative error between <v, df/dx> and its central difference, over every element of every input, where v
/// is a fixed random direction. Errors are relative to the largest gradient element of that input, or 1 if that is
/// less.
double gradient_error(const TensorFunction& f, const std::vector<Tensor>& inputs);

/// Expects the first and second derivatives of f to agree with central differences: to 1e-6 in double; to
/// what float differences can show otherwise. f must be twice differentiable around the inputs.
void expect_gradients(const TensorFunction& f, const std::vector<Tensor>& inputs);

}  // namespace rill::testing
