// Gradients of a solve without its steps: the continuous adjoint.
#pragma once

#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/path/velocity.hpp"
#include "flow/solver/adaptive.hpp"

namespace rill::flow {

/// The points x [N, ...] moved along the velocity from time `start` to `end`, as by solve_adaptive; one op, which keeps
/// the result only, however many steps there are. Its gradient with respect to x and the `parameters` (every tensor
/// that requires a gradient and that the velocity depends on) solves backward, from `end` to `start`, with the gradient
/// a of the result as the start of the second line (Chen et al., "Neural ordinary differential equations", 2018,
/// algorithm 1):
///   dx/dt = u,   da/dt = -a^T du/dx,   dg/dt = -a^T du/dtheta
/// whence a is the gradient of x and g, from 0, that of the parameters. g is an integral that nothing depends on, so it
/// is left out of the error norm (Kidger, Chen and Lyons, "Hey, that's not an ODE", 2021).
/// It agrees with the gradient through the steps of solve_adaptive as closely as `options.tolerance` asks.
/// What the velocity refers to must live until backward(). Throws as solve_adaptive, there too; std::invalid_argument
/// for options with an event, and where the gradient is to be differentiated again, which it cannot be.
Tensor solve_adjoint(const Velocity& velocity, const std::vector<Tensor>& parameters, const Tensor& x, double start,
                     double end, const AdaptiveOptions& options = {});

}  // namespace rill::flow
