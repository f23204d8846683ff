// The continuous adjoint: gradients of a solve without storing its steps.
#pragma once

#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/path/velocity.hpp"
#include "flow/solver/adaptive.hpp"

namespace rill::flow {

/// Moves the points x [N, ...] along the velocity from time `start` to `end`, like solve_adaptive, but as one op that
/// saves only the result, however many steps there are. Its gradient with respect to x and the `parameters` (every
/// tensor that requires a gradient and that the velocity depends on) solves these equations backward, from `end` to
/// `start`, where a starts as the gradient of the result (Chen et al., "Neural ordinary differential equations", 2018,
/// algorithm 1):
///   dx/dt = u,   da/dt = -a^T du/dx,   dg/dt = -a^T du/dtheta
/// At `start`, a is the gradient of x, and g, which starts at 0, that of the parameters. Nothing depends on the
/// integral g, so it is left out of the error norm (Kidger, Chen and Lyons, "Hey, that's not an ODE", 2021).
/// The gradient agrees with that through the steps of solve_adaptive to within `options.tolerance`.
/// What the velocity refers to must live until backward(). Throws as solve_adaptive, also in backward();
/// std::invalid_argument for options with an event, and if the gradient is to be differentiated again, which it cannot
/// be.
Tensor solve_adjoint(const Velocity& velocity, const std::vector<Tensor>& parameters, const Tensor& x, double start,
                     double end, const AdaptiveOptions& options = {});

}  // namespace rill::flow
