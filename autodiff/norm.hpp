// The Euclidean norm of many numbers.
#pragma once

#include "autodiff/real.hpp"

namespace rill {

/// sqrt(sum_i x[i]^2) of n numbers, whatever their magnitude: no square overflows or vanishes. 0 when n = 0; NaN or
/// infinite when a number is. Long arrays take several threads; the result does not depend on how many.
/// Norms of parts make that of the whole: std::hypot(norm(n, x), norm(m, y)).
double norm(Index n, const Real* x);

}  // namespace rill
