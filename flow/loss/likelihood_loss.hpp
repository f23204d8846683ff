// The likelihood of a continuous flow as a loss, with what keeps the flow easy to solve.
#pragma once

#include <string>
#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/path/velocity.hpp"
#include "flow/solver/solver.hpp"

namespace rill::flow {

/// How the gradient of a solve is found.
enum class SolveGradients {
  kSteps,    ///< through the solver's steps: exact for what was computed; memory grows with the steps
  kAdjoint,  ///< by the adjoint equation (flow/solver/adjoint.hpp): exact up to the tolerance; memory does not grow
};

/// "steps" and "adjoint".
std::vector<std::string> solve_gradient_names();

struct ContinuousLikelihoodOptions {
  OdeSolver solver = AdaptiveOptions{};
  SolveGradients gradients = SolveGradients::kSteps;
  bool kinetic = false, jacobian = false;  ///< whether to integrate these
};

/// For points of standard normal source that a flow carries to x_1, one number each, [N], or undefined:
struct ContinuousLikelihood {
  Tensor log_p;     ///< ln p_1(x_1) in nats
  Tensor kinetic;   ///< integral_0^1 |u|^2 dt: least for straight trajectories of even speed
  Tensor jacobian;  ///< integral_0^1 |du/dx|_F^2 dt, the Frobenius norm, or its estimate |e^T du/dx|^2 for a probe e
};

/// Follows the points x_1 [N, D] back to t = 0, together with the integrals
///   ln p_1(x_1) = ln p_0(x_0) - integral_0^1 div u dt
/// (Chen et al., "Neural Ordinary Differential Equations", 2018, equation 8) and, if wanted, those that regularize
/// the flow (Finlay et al., "How to Train Your Neural ODE", 2020, equations 7 and 9). All are differentiable with
/// respect to x_1 and whatever the velocity depends on.
///   parameters: of the velocity, all of them; needed for the adjoint
///   probes: [N, D] each, for Hutchinson's estimate of the divergence (Grathwohl et al., "FFJORD", 2019); none for the
///   exact one
/// Throws std::invalid_argument for the adjoint with a solver of equal steps, and as the solvers do.
ContinuousLikelihood continuous_likelihood(const Velocity& velocity, const std::vector<Tensor>& parameters,
                                           const Tensor& x_1, const std::vector<Tensor>& probes,
                                           const ContinuousLikelihoodOptions& options);

}  // namespace rill::flow
