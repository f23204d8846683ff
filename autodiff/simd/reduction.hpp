// Sums, means and maxima along one axis, and dot products.
#pragma once

#include "autodiff/real.hpp"

namespace rill::simd {

struct ReductionKernels {
  // Reductions. x: [outer, reduced, inner] -> y: [outer, inner]; y overlaps no input. Sums of many numbers
  // are kept accurate: the error grows no faster than with the square root of `reduced` / 64.
  using Reduction = void (*)(Index outer, Index reduced, Index inner, const Real* x, Real* y) noexcept;
  Reduction sum;
  Reduction mean;  ///< of equal numbers, that number; finite where the sum overflows; NaN when reduced = 0
  Reduction max;   ///< NaN if any is; -infinity when reduced = 0
  Real (*dot)(Index n, const Real* a, const Real* b) noexcept;
};

namespace scalar {
extern const ReductionKernels reduction_kernels;  // to which the other sets leave rare cases
}

}  // namespace rill::simd

#ifdef RILL_REFERENCE
// In plain C++, one number at a time.
#include "autodiff/simd/reference-inl.hpp"

namespace rill::simd::scalar {
namespace {

// Pairwise summation, down to runs of 64 terms: the error grows with the logarithm of n and not with n
// (Higham, "The accuracy of floating point summation", 1993).
template <class Term>
Real pairwise_sum(Index first, Index n, const Term& term) {
  if (n > 64) return pairwise_sum(first, n / 2, term) + pairwise_sum(first + n / 2, n - n / 2, term);
  Real sum = 0;
  for (Index i = first; i < first + n; ++i) sum += term(i);
  return sum;
}

void sum(Index outer, Index reduced, Index inner, const Real* x, Real* y) noexcept {
  for (Index o = 0; o < outer; ++o) {
    for (Index i = 0; i < inner; ++i) {
      y[o * inner + i] = pairwise_sum(0, reduced, [&](Index r) { return x[(o * reduced + r) * inner + i]; });
    }
  }
}

void mean(Index outer, Index reduced, Index inner, const Real* x, Real* y) noexcept {
  for (Index o = 0; o < outer; ++o, x += reduced * inner, y += inner) {
    for (Index i = 0; i < inner; ++i) {
      LongSum total;
      for (Index r = 0; r < reduced; ++r) total.add(x[r * inner + i]);
      y[i] = static_cast<Real>(total.value() / static_cast<Wide>(reduced));
    }
  }
}

void max(Index outer, Index reduced, Index inner, const Real* x, Real* y) noexcept {
  for (Index o = 0; o < outer; ++o) {
    for (Index i = 0; i < inner; ++i) {
      Real m = -kInfinity;
      for (Index r = 0; r < reduced; ++r) m = maximum(m, x[(o * reduced + r) * inner + i]);
      y[o * inner + i] = m;
    }
  }
}

Real dot(Index n, const Real* a, const Real* b) noexcept {
  return pairwise_sum(0, n, [&](Index i) { return a[i] * b[i]; });
}

}  // namespace

extern constinit const ReductionKernels reduction_kernels = {
    .sum = sum,
    .mean = mean,
    .max = max,
    .dot = dot,
};

}  // namespace rill::simd::scalar
#endif
