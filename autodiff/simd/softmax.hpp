// Softmax, log-softmax and log-sum-exp of rows.
#pragma once

#include "autodiff/simd/reduction.hpp"

namespace rill::simd {

struct SoftmaxKernels {
  // Rows. x, y: [rows, columns]; the maximum is subtracted first, so no row overflows.
  using Rows = void (*)(Index rows, Index columns, const Real* x, Real* y) noexcept;
  Rows softmax, log_softmax;
  Rows logsumexp;  ///< y: [rows]; -infinity for a row of -infinities
};

}  // namespace rill::simd

#ifdef RILL_REFERENCE
// In plain C++, one number at a time.
#include "autodiff/simd/reference-inl.hpp"

namespace rill::simd::scalar {
namespace {

// m = max_c x[c] and s = sum_c e^(x[c] - m), so that sum_c e^x[c] = e^m s.
struct RowSum {
  Real m, s;
};
RowSum row_sum(Index columns, const Real* x) {
  Real m;
  max(1, columns, 1, x, &m);
  return {m, pairwise_sum(0, columns, [&](Index c) { return std::exp(x[c] - m); })};
}

void softmax(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
    const auto [m, s] = row_sum(columns, x);
    for (Index c = 0; c < columns; ++c) y[c] = std::exp(x[c] - m) / s;
  }
}

void log_softmax(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
    const auto [m, s] = row_sum(columns, x);
    const Real log_s = std::log(s);
    for (Index c = 0; c < columns; ++c) y[c] = x[c] - m - log_s;
  }
}

void logsumexp(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns) {
    const auto [m, s] = row_sum(columns, x);
    y[r] = std::isinf(m) ? m : m + std::log(s);  // an infinite m is the result: m - m would be NaN
  }
}

}  // namespace

extern constinit const SoftmaxKernels softmax_kernels = {
    .softmax = softmax,
    .log_softmax = log_softmax,
    .logsumexp = logsumexp,
};

}  // namespace rill::simd::scalar
#endif
