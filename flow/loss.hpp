// The conditional flow-matching loss.
#pragma once

#include "autodiff/tensor.hpp"
#include "flow/path.hpp"
#include "flow/velocity.hpp"

namespace rill::flow {

/// mean (u(x_t, t) - dx_t)^2 over samples and coordinates; a scalar. Its gradient is that of the regression on the
/// marginal velocity, which it exceeds by a constant
/// (Lipman et al., "Flow Matching for Generative Modeling", 2023, theorem 2).
Tensor conditional_flow_matching_loss(const Velocity& velocity, const PathSample& sample);

}  // namespace rill::flow
