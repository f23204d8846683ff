// The Euclidean norm of many numbers.
#pragma once

#include "autodiff/real.hpp"

namespace rill {

/// sqrt(sum_i x[i]^2) of n numbers of any magnitude, without overflow or underflow. 0 when n = 0; NaN or infinity if
/// any number is. Long arrays use several threads; the result does not depend on how many.
/// The norms of parts combine to that of the whole: std::hypot(norm(n, x), norm(m, y)).
double norm(Index n, const Real* x);

}  // namespace rill
