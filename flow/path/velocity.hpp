// A velocity field: what flow matching learns and what solvers integrate.
#pragma once

#include <functional>

#include "autodiff/tensor.hpp"

namespace rill::flow {

/// u(x, t): the velocity at the points x [N, ...] at times t [N], of the shape of x. Any callable will do: a network,
/// a formula, the exact field of a data set.
using Velocity = std::function<Tensor(const Tensor& x, const Tensor& t)>;

}  // namespace rill::flow
