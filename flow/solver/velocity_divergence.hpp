// The divergence of a velocity field: the rate at which the flow expands volumes around x.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "flow/path/velocity.hpp"

namespace rill::flow {

/// div u = sum_i du_i/dx_i, exactly or by Hutchinson's trace estimator with random probes e, E[e e^T] = I:
///   div u = E[e^T (du/dx) e]
/// (Hutchinson 1990; Grathwohl et al., "FFJORD", 2019, section 3.1). For a Jacobian J with symmetric part S, one
/// Rademacher probe (+1 or -1 each) has the variance 2 sum_{i != j} S_ij^2 and one Gaussian probe 2 sum_ij S_ij^2
/// (Avron and Toledo, "Randomized Algorithms for Estimating the Trace", Journal of the ACM 58, 2011).
enum class Trace { kExact, kRademacher, kGaussian };

/// "exact", "rademacher" and "gaussian".
std::vector<std::string> trace_names();
/// Throws std::invalid_argument, listing the known names, for an unknown one.
Trace find_trace(std::string_view name);
/// Exact up to 32 dimensions, since it takes a gradient for each; in more, Rademacher probes.
Trace default_trace(Index dimension);

/// `count` probes of that kind, each of the given shape. Throws std::invalid_argument for kExact and for count < 1.
std::vector<Tensor> draw_probes(Trace kind, Index count, const Shape& shape, Generator& rng);

/// A velocity and its divergence.
struct VelocityDivergence {
  Tensor velocity;    ///< u(x, t), the shape of x
  Tensor divergence;  ///< exact: [N, 1]; by probes: [N, probes], one estimate each
  /// If requested, [N, 1]: the squared Frobenius norm of du/dx, or its estimate, the mean of |e^T du/dx|^2 over probes.
  Tensor squared_jacobian = {};
};

/// Both at x [N, ...] and t [N], from one evaluation of u and one vector-Jacobian product per probe or, if `probes` is
/// empty, per dimension. The velocity of a point must depend only on that point, not on the rest of the batch. If
/// gradients are enabled (grad_enabled()), the results can be differentiated again; otherwise a graph exists only
/// within this call. Throws std::invalid_argument for probes whose shape is not that of x.
VelocityDivergence velocity_and_divergence(const Velocity& velocity, const Tensor& x, const Tensor& t,
                                           const std::vector<Tensor>& probes = {}, bool squared_jacobian = false);

}  // namespace rill::flow
