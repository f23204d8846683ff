// The likelihood of data under a flow, by integrating from the data back to the source.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/path/velocity.hpp"
#include "flow/solver/solver.hpp"
#include "flow/solver/velocity_divergence.hpp"

namespace rill::flow {

/// ln p(x) in nats, [N, ...] -> [N].
using LogDensity = std::function<Tensor(const Tensor& x)>;

/// The standard normal log density: -|x|^2 / 2 - D/2 ln 2 pi for points of D numbers. Made of ops.
Tensor standard_normal_log_density(const Tensor& x);

struct LikelihoodOptions {
  OdeSolver solver = FixedSteps{&kRk4, 50};         ///< adaptive steps control the error of the points and the integral
  LogDensity source = standard_normal_log_density;  ///< ln p_0
  Trace trace = Trace::kExact;
  Index probes = 1;        ///< of a trace estimate; fixed during a solve, so that it solves one equation
  std::uint64_t seed = 0;  ///< for the probes
};

struct Likelihood {
  Tensor log_p;  ///< [N], ln p_1 in nats
  /// [N], the standard error of log_p over the probes: 0 for an exact trace, infinite for a single probe.
  Tensor standard_error;
  Tensor x_0;  ///< the source points, in the shape of x_1
  /// Evaluations of the velocity with its divergence; the largest number over the groups of points.
  Index evaluations = 0;
};

/// The log density at the points x_1 [N, ...] of the flow of u from t = 0 to t = 1. Along the flow
///   d/dt ln p_t(x_t) = -div u_t(x_t),   hence   ln p_1(x_1) = ln p_0(x_0) - integral_0^1 div u_t(x_t) dt
/// (the instantaneous change of variables: Chen et al., "Neural Ordinary Differential Equations", 2018, equation
/// 8; Grathwohl et al., "FFJORD", 2019, section 2.2). x_t is integrated back from x_1 to x_0, together with the
/// integral.
/// Points are processed in groups on several threads; the result does not depend on their number. Records no graph.
/// The velocity must not depend on the rows' positions in the batch (as fixed labels do): see the overload below.
///
/// Only a continuous flow has this density. The samples of an SDE made by sde_of_flow() have it, too, so call this with
/// the velocity itself; samples of a single step do not. Throws std::invalid_argument if the solver evaluates the
/// velocity only once, and as velocity_and_divergence() and draw_probes() do.
Likelihood log_likelihood(const Velocity& velocity, const Tensor& x_1, const LikelihoodOptions& options = {});

/// The same for a field whose points have labels.   labels: [N], or empty for no class.
Likelihood log_likelihood(std::shared_ptr<const VelocityField> field, const Tensor& x_1, const Indices& labels,
                          const LikelihoodOptions& options = {});

}  // namespace rill::flow
