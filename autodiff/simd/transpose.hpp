// Transposition.
#pragma once

#include "autodiff/real.hpp"

namespace rill::simd {

struct TransposeKernels {
  /// x: [rows, columns] -> y: [columns, rows]; they do not overlap
  void (*transpose)(Index rows, Index columns, const Real* x, Real* y) noexcept;
};

}  // namespace rill::simd

#ifdef RILL_REFERENCE
// In plain C++, one number at a time.
#include "autodiff/simd/reference-inl.hpp"

namespace rill::simd::scalar {
namespace {

void transpose(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < columns; ++c) y[c * rows + r] = x[r * columns + c];
  }
}

}  // namespace

extern constinit const TransposeKernels transpose_kernels = {
    .transpose = transpose,
};

}  // namespace rill::simd::scalar
#endif
