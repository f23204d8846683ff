// Attention, one head at a time.
#pragma once

#include "autodiff/real.hpp"

namespace rill::simd {

/// One head of attention: y = softmax(scale q k^T) v.   q: [queries, depth], k: [keys, depth], v: [keys, value_depth],
/// their rows ldq, ldk and ldv numbers apart; keys, depth and value_depth are at least 1.
struct Attention {
  Index queries, keys, depth, value_depth;
  Real scale;  ///< positive
  const Real* q;
  Index ldq;
  const Real* k;
  Index ldk;
  const Real* v;
  Index ldv;
};

/// Where the result of attention goes, and what the backward pass needs.
struct AttentionOutput {
  Real* y;  ///< [queries, value_depth], rows ldy apart
  Index ldy;
  // Per query, so that the weights are 2^(scale / ln 2 (<q, k_s> - top)) inverse_sum. One number, ln sum_s
  // e^(scale <q, k_s>), would do, but for large scores its rounding would make the weights no longer add up to 1. `top`
  // excludes the scale, because their product would round, and exponents of large scores could be positive.
  Real* top;          ///< max_s <q, k_s>, but finite if all are -infinity
  Real* inverse_sum;  ///< 1 / sum_s 2^(scale / ln 2 (<q, k_s> - top))
};

/// The backward pass: from gy = dloss / dy to the gradients of q, k and v, in the layouts of q, k and v.
struct AttentionGradient {
  const Real* gy;  ///< laid out as y
  Real *gq, *gk, *gv;
};

struct AttentionKernels {
  // Attention for one head: softmax(scale q k^T) v, with one block of scores in memory at a time and no overflow. Both
  // kernels need a workspace of attention_workspace() Reals, 64-byte aligned. No output overlaps anything else.
  Index (*attention_workspace)(const Attention&) noexcept;
  void (*attention)(const Attention&, const AttentionOutput&, Real* workspace) noexcept;
  /// `output` is the result of attention().
  void (*attention_gradient)(const Attention&, const AttentionOutput& output, const AttentionGradient&,
                             Real* workspace) noexcept;
};

}  // namespace rill::simd

#ifdef RILL_REFERENCE
// In plain C++, one number at a time.
#include "autodiff/simd/reference-inl.hpp"

namespace rill::simd::scalar {
namespace {

Real dot_product(Index n, const Real* a, const Real* b) {
  Real sum = 0;
  for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// The workspace holds one query's weights.
Index attention_workspace(const Attention& a) noexcept { return a.keys; }

constexpr Real kLog2E = Real(1.44269504088896340736);

void attention(const Attention& a, const AttentionOutput& out, Real* p) noexcept {
  for (Index t = 0; t < a.queries; ++t) {
    Real top = std::numeric_limits<Real>::lowest(), sum = 0;
    for (Index s = 0; s < a.keys; ++s) {
      p[s] = dot_product(a.depth, a.q + t * a.ldq, a.k + s * a.ldk);
      top = std::max(top, p[s]);
    }
    for (Index s = 0; s < a.keys; ++s) sum += p[s] = std::exp2(a.scale * kLog2E * (p[s] - top));
    for (Index c = 0; c < a.value_depth; ++c) {
      Real y = 0;
      for (Index s = 0; s < a.keys; ++s) y += p[s] * a.v[s * a.ldv + c];
      out.y[t * out.ldy + c] = y / sum;
    }
    out.top[t] = top;
    out.inverse_sum[t] = 1 / sum;
  }
}

// With the weights p = softmax(x), x = scale q k^T:   gp = gy v^T,   gx = p (gp - <gy, y>),
//   gq = scale gx k,   gk = scale gx^T q,   gv = p^T gy
void attention_gradient(const Attention& a, const AttentionOutput& out, const AttentionGradient& g, Real*) noexcept {
  for (Index s = 0; s < a.keys; ++s) {
    for (Index c = 0; c < a.depth; ++c) g.gk[s * a.ldk + c] = 0;
    for (Index c = 0; c < a.value_depth; ++c) g.gv[s * a.ldv + c] = 0;
  }
  for (Index t = 0; t < a.queries; ++t) {
    const Real *const q = a.q + t * a.ldq, *const gy = g.gy + t * out.ldy;
    Real* const gq = g.gq + t * a.ldq;
    const Real delta = dot_product(a.value_depth, gy, out.y + t * out.ldy);
    for (Index c = 0; c < a.depth; ++c) gq[c] = 0;
    for (Index s = 0; s < a.keys; ++s) {
      const Real* const k = a.k + s * a.ldk;
      const Real p = std::exp2(a.scale * kLog2E * (dot_product(a.depth, q, k) - out.top[t])) * out.inverse_sum[t];
      const Real gx = a.scale * p * (dot_product(a.value_depth, gy, a.v + s * a.ldv) - delta);
      for (Index c = 0; c < a.depth; ++c) {
        gq[c] += gx * k[c];
        g.gk[s * a.ldk + c] += gx * q[c];
      }
      for (Index c = 0; c < a.value_depth; ++c) g.gv[s * a.ldv + c] += p * gy[c];
    }
  }
}

}  // namespace

extern constinit const AttentionKernels attention_kernels = {
    .attention_workspace = attention_workspace,
    .attention = attention,
    .attention_gradient = attention_gradient,
};

}  // namespace rill::simd::scalar
#endif
