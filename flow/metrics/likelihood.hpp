// The likelihood of data under a flow: the source's density, carried along the flow backwards.
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

/// The standard normal density: -|x|^2 / 2 - D/2 ln 2 pi, D numbers to a point. Made of ops.
Tensor standard_normal_log_density(const Tensor& x);

struct LikelihoodOptions {
  OdeSolver solver = FixedSteps{&kRk4, 50};         ///< adaptive errors count of the points and of the integral alike
  LogDensity source = standard_normal_log_density;  ///< ln p_0
  Trace trace = Trace::kExact;
  Index probes = 1;        ///< of an estimated trace, fixed during a solve so that it solves one equation
  std::uint64_t seed = 0;  ///< of the probes
};

struct Likelihood {
  Tensor log_p;  ///< [N], ln p_1 in nats
  /// [N], of log_p, from the scatter of the probes' estimates: 0 for an exact trace, infinite for a single probe.
  Tensor standard_error;
  Tensor x_0;  ///< the shape of x_1: where the flow came from
  /// Of the velocity with its divergence; where groups of points needed different numbers of them, the largest.
  Index evaluations = 0;
};

/// The density that the flow of u from t = 0 to t = 1 gives its end points, at the points x_1 [N, ...]. Along the flow
///   d/dt ln p_t(x_t) = -div u_t(x_t),   hence   ln p_1(x_1) = ln p_0(x_0) - integral_0^1 div u_t(x_t) dt
/// (the instantaneous change of variables: Chen et al., "Neural Ordinary Differential Equations", 2018, equation
/// 8; Grathwohl et al., "FFJORD", 2019, section 2.2), where x_t is followed back from x_1 to x_0 together with the
/// integral.
/// Points are taken in groups, spread over the threads; the result does not depend on their number. Records no graph.
/// The velocity must not know the rows of the batch (labels held fixed, say): there is an overload for fields below.
///
/// Only a continuous flow has this density. The end points of a stochastic equation share it when the equation was made
/// by sde_of_flow(), so ask here with the velocity itself; a one-step map has another one. Throws std::invalid_argument
/// where the solver evaluates the velocity but once, and as velocity_and_divergence() and draw_probes() do.
Likelihood log_likelihood(const Velocity& velocity, const Tensor& x_1, const LikelihoodOptions& options = {});

/// The same for a field whose points have labels.   labels: [N], or empty for no class.
Likelihood log_likelihood(std::shared_ptr<const VelocityField> field, const Tensor& x_1, const Indices& labels,
                          const LikelihoodOptions& options = {});

/// ln p_1 [N] of the whole batch as one differentiable expression: gradients flow through the solver's steps to x_1 and
/// to the velocity's parameters, as maximum-likelihood training needs (Chen et al. 2018). Solvers are made of ops.
Tensor differentiable_log_likelihood(const Velocity& velocity, const Tensor& x_1,
                                     const LikelihoodOptions& options = {});

}  // namespace rill::flow
