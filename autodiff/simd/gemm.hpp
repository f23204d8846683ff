// Matrix products.
#pragma once

#include "autodiff/real.hpp"

namespace rill::simd {

/// C = op(A) op(B) (+ bias) (+ C), row-major, where op transposes when the flag is set.
///   op(A): [m, k], stored [m, k] or, transposed, [k, m], with rows `lda` apart;  op(B): [k, n] likewise;
///   C: [m, n] with rows `ldc` apart; bias: [n], added to every row, or null. C overlaps no input.
struct Gemm {
  bool transpose_a, transpose_b;
  Index m, n, k;
  const Real* a;
  Index lda;
  const Real* b;
  Index ldb;
  const Real* bias;
  bool accumulate;  ///< add to what C holds instead of overwriting it
  Real* c;
  Index ldc;
  /// If not null, called for rows [begin, end) of C once they are finished, while they are in cache; each row once.
  void (*finish)(const void* context, Index begin, Index end) noexcept = nullptr;
  const void* context = nullptr;
};

struct GemmKernels {
  // Matrix products. The workspace holds packed panels: gemm_workspace() Reals, 64-byte aligned.
  Index (*gemm_workspace)(const Gemm&) noexcept;
  void (*gemm)(const Gemm&, Real* workspace) noexcept;
};

}  // namespace rill::simd

#ifdef RILL_REFERENCE
// In plain C++, one number at a time.
#include "autodiff/simd/reference-inl.hpp"

namespace rill::simd::scalar {
namespace {

Index gemm_workspace(const Gemm&) noexcept { return 0; }

void gemm(const Gemm& g, Real*) noexcept {
  for (Index i = 0; i < g.m; ++i) {
    for (Index j = 0; j < g.n; ++j) {
      Real sum = g.bias ? g.bias[j] : 0;
      if (g.accumulate) sum += g.c[i * g.ldc + j];
      for (Index p = 0; p < g.k; ++p) {
        sum += g.a[g.transpose_a ? p * g.lda + i : i * g.lda + p] * g.b[g.transpose_b ? j * g.ldb + p : p * g.ldb + j];
      }
      g.c[i * g.ldc + j] = sum;
    }
  }
  if (g.finish) g.finish(g.context, 0, g.m);
}

}  // namespace

extern constinit const GemmKernels gemm_kernels = {
    .gemm_workspace = gemm_workspace,
    .gemm = gemm,
};

}  // namespace rill::simd::scalar
#endif
