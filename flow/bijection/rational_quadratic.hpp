// The monotonic rational-quadratic spline: a bijection of a number that can take almost any shape.
#pragma once

#include "autodiff/tensor.hpp"

namespace rill::flow {

/// y = f(x) for every number, and ln f'(x).
struct Warped {
  Tensor y, log_slope;  ///< the shape of x
};

/// Numbers that describe a spline of K bins: 3 K - 1.
Index spline_parameters(Index bins);

/// On [-bound, bound], a spline through K + 1 knots with the widths w and heights h between them and slopes d at them
/// (Gregory and Delbourgo 1982; Durkan et al., "Neural Spline Flows", 2019, equation 4). In bin k, with
/// xi = (x - x_k) / w, s = h / w, q = xi (1 - xi):
///   f(x) = y_k + h (s xi^2 + d_k q) / (s + (d_k + d_k+1 - 2 s) q)
/// Outside, f(x) = x: the slope at both ends is 1.
///   x: [M, T], raw: [M, T (3 K - 1)]: for each number K widths, K heights and K - 1 slopes, unconstrained. Widths and
///   heights are softmaxes times 2 bound, each at least 0.1 % of it; slopes are softplus(raw + c) + 0.001 with c such
///   that raw = 0 gives the identity.
/// One op. Its gradient cannot be differentiated again: that throws std::invalid_argument, as do other shapes.
Warped rational_quadratic(const Tensor& x, const Tensor& raw, Index bins, double bound);

/// The inverse, in closed form (ibid., equations 6 to 8), and ln of its slope. Records no graph.
Warped inverse_rational_quadratic(const Tensor& y, const Tensor& raw, Index bins, double bound);

}  // namespace rill::flow
