// Attention without the matrix of its scores: softmax(scale q k^T) v and its gradients, a block of scores at a time.
//
// The algorithm is that of Dao et al., "FlashAttention" (2022), and Dao, "FlashAttention-2" (2023): for each block of
// queries, it goes through the blocks of keys and keeps, for each query, the largest score and the sum of exponentials
// so far; a new largest score scales the sums down. The backward pass recomputes the weights.
//
// A block of scores is stored transposed, [keys, queries], with the queries along the lanes of registers. So maxima and
// sums over keys need no operations across lanes, and the panel products of gemm-panel-inl.hpp read the operands of all
// seven products, two forward and five backward, in place; only q and gy are transposed, once per block of queries.
// With scores x, weights p and c = scale / ln 2:
//   x^T = k q^T                        p^T = 2^(c (x^T - top))         y += p v
//   x^T = k q^T,   gp^T = v gy^T,      gx^T = p^T (gp^T - <gy, y>),    gv += p^T gy,   gk += gx^T q,   gq += gx k
#include "autodiff/simd/attention.hpp"

#include <limits>

#include "autodiff/simd/gemm-panel-inl.hpp"
#include "autodiff/simd/math-inl.hpp"
#include "autodiff/simd/set-inl.hpp"
#include "autodiff/simd/transpose-inl.hpp"

namespace rill::simd {
namespace {

/// The sizes of a block. In float it takes 28 KB, which stay in L1 while they are exponentiated and multiplied; the two
/// blocks of the backward pass, with their rows of k, v, q and gy, fit into L2 many times over. Larger blocks update
/// their sums less often: an update takes a load, an addition and a store for every kBlockKeys (y, gq) or kBlockQueries
/// (gk, gv) multiply-adds. 64 queries are whole registers for every instruction set, and rarely leave partial tiles.
constexpr Index kBlockQueries = 64, kBlockKeys = 448 / Index{sizeof(Real)};

/// Base-2 exponentials are cheaper: e^(scale x) = 2^(c x), c = scale / ln 2.
constexpr Real kLog2E = 1.4426950408889634074;

/// Below every finite score. Not -infinity: its difference from a score of -infinity would be NaN.
constexpr Real kLowestScore = -std::numeric_limits<Real>::max();

/// The layout of the workspace: blocks [keys, lanes], transposed rows [depth, lanes] and rows [rows, depth], where
/// lanes and depths are rounded up to whole registers.
template <class V>
struct AttentionBuffers {
  Index value_columns, padded_columns;  // of gy_rows, and of `padded`
  Real *x, *g, *q, *gy, *y, *gy_rows, *padded, *top, *sum, *factor;
  Index size = 0;

  AttentionBuffers(const Attention& a, Real* workspace)
      : value_columns(round_up(a.value_depth, kLanes<V>)),
        padded_columns(kPartialLoads ? 0 : round_up(a.depth > a.value_depth ? a.depth : a.value_depth, kLanes<V>)) {
    const Index lanes = round_up(smaller(a.queries, kBlockQueries), kLanes<V>), keys = smaller(a.keys, kBlockKeys);
    const auto take = [&](Index count) {
      Real* buffer = workspace ? workspace + size : nullptr;
      size += round_up(count, 16);
      return buffer;
    };
    x = take(keys * lanes);
    g = take(keys * lanes);
    q = take(a.depth * lanes);
    gy = take(a.value_depth * lanes);
    y = take(a.value_depth * lanes);
    gy_rows = take(lanes * value_columns);
    padded = take((keys > lanes ? keys : lanes) * padded_columns);
    top = take(lanes);
    sum = take(lanes);
    factor = take(lanes);
  }
};

template <class V>
Index attention_workspace(const Attention& a) noexcept {
  return AttentionBuffers<V>(a, nullptr).size;
}

// ---------------------------------------------------------------------------------------------------------------------
// Products

/// Rows from which the second operand of a product can be read.
struct Rows {
  const Real* data;
  Index ld;
};

/// x itself; where part of a register cannot be loaded, a copy whose rows are whole registers.
template <class V>
Rows loadable(Index rows, Index columns, const Real* x, Index ldx, const AttentionBuffers<V>& at) {
  if (kPartialLoads || columns % kLanes<V> == 0) return {x, ldx};
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < at.padded_columns; ++c)
      at.padded[r * at.padded_columns + c] = c < columns ? x[r * ldx + c] : 0;
  }
  return {at.padded, at.padded_columns};
}

/// C = or += op(A) B, without packing.
template <class V>
void block_product(LayoutA layout, Index m, Index n, Index k, const Real* a, Index lda, Rows b, bool accumulate,
                   Real* c, Index ldc) {
  constexpr Index L = kLanes<V>, kPanel = kTileWidth * L;
  for (Index j = 0; j < n; j += kPanel) {
    const Index columns = smaller(n - j, kPanel), registers = (columns + L - 1) / L;
    const Index last = columns - (registers - 1) * L;
    RILL_SET::panel_products[static_cast<int>(layout)][last < L](registers, m, k, a, lda, b.data + j, b.ld,
                                                                 {c + j, ldc, nullptr, accumulate, last});
  }
}

/// y = x^T with zeros after the rows of x, up to `lanes`.
template <class V>
void transpose_rows(Index rows, Index columns, const Real* x, Index ldx, Real* y, Index lanes) {
  transpose_matrix<V>(rows, columns, x, ldx, y, lanes);
  for (Index r = rows; r < lanes; ++r) {
    for (Index c = 0; c < columns; ++c) y[c * lanes + r] = 0;
  }
}

/// y = factor x
template <class V>
void scale_row(Index columns, Real factor, const Real* x, Real* y) {
  for_registers<V>(columns, [=](Index c, auto part) { part.store(y + c, part.load(x + c) * V(factor)); });
}

// ---------------------------------------------------------------------------------------------------------------------
// Blocks of scores. At a depth of 32, the operations on a score cost a sixth of its products; most of that is the
// exponential.

/// Replaces the products x, [keys, lanes], by p = 2^(c (x - top)), after raising `top` to the largest x. Sets `factor`
/// to what the sums of earlier blocks must be multiplied by, and `sum` to the sum of p over all keys so far. As top is
/// one of the x or above them all, no exponent is positive.
template <class V>
[[gnu::flatten]] void exponentiate(Index keys, Index lanes, Real c, Real* x, Real* top, Real* sum, Real* factor) {
  for (Index j = 0; j < lanes; j += kLanes<V>) {
    constexpr int kChains = 4;  // a maximum has a latency of two or more cycles, and two can start per cycle
    V m[kChains];
    unroll<kChains>([&](auto i) { m[i] = V::load_unaligned(x + j); });
    Index s = 0;
    for (; s + kChains <= keys; s += kChains) {
      unroll<kChains>([&](auto i) { m[i] = xsimd::max(m[i], V::load_unaligned(x + (s + i) * lanes + j)); });
    }
    for (; s < keys; ++s) m[0] = xsimd::max(m[0], V::load_unaligned(x + s * lanes + j));
    const V highest = xsimd::max(V(xsimd::max(m[0], m[1])), V(xsimd::max(m[2], m[3])));
    const V before = V::load_unaligned(top + j), now = xsimd::max(before, highest);
    V total(0);
    for (Real *at = x + j, *end = at + keys * lanes; at != end; at += lanes) {
      const V p = math::exp2_of_negative(V((V::load_unaligned(at) - now) * V(c)));
      p.store_unaligned(at);
      total = total + p;
    }
    const V scaled_down = math::exp2_of_negative(V((before - now) * V(c)));
    now.store_unaligned(top + j);
    scaled_down.store_unaligned(factor + j);
    mul_add(V::load_unaligned(sum + j), scaled_down, total).store_unaligned(sum + j);
  }
}

/// Replaces the products x and the gradients g of the weights, [keys, lanes], by p = 2^(c (x - top)) and p (g - delta).
template <class V>
[[gnu::flatten]] void score_gradients(Index keys, Index lanes, Real c, const Real* top, const Real* delta, Real* x,
                                      Real* g) {
  for (Index j = 0; j < lanes; j += kLanes<V>) {
    const V top_j = V::load_unaligned(top + j), delta_j = V::load_unaligned(delta + j);
    for (Index i = j; i < keys * lanes; i += lanes) {
      const V p = math::exp2_of_negative(V((V::load_unaligned(x + i) - top_j) * V(c)));
      p.store_unaligned(x + i);
      (p * (V::load_unaligned(g + i) - delta_j)).store_unaligned(g + i);
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The two kernels

template <class V>
void attention(const Attention& a, const AttentionOutput& out, Real* workspace) noexcept {
  const AttentionBuffers<V> at(a, workspace);
  const Real c = a.scale * kLog2E;
  for (Index t = 0; t < a.queries; t += kBlockQueries) {
    const Index rows = smaller(a.queries - t, kBlockQueries), lanes = round_up(rows, kLanes<V>);
    Real* const y = out.y + t * out.ldy;
    transpose_rows<V>(rows, a.depth, a.q + t * a.ldq, a.ldq, at.q, lanes);
    for (Index i = 0; i < lanes; ++i) at.top[i] = kLowestScore, at.sum[i] = 0;
    for (Index s = 0; s < a.keys; s += kBlockKeys) {
      const Index keys = smaller(a.keys - s, kBlockKeys);
      block_product<V>(LayoutA::kRows, keys, lanes, a.depth, a.k + s * a.ldk, a.ldk, {at.q, lanes}, false, at.x, lanes);
      exponentiate<V>(keys, lanes, c, at.x, at.top, at.sum, at.factor);
      for (Index i = 0; s > 0 && i < rows; ++i) {  // after a few blocks, a new largest score is rare
        if (at.factor[i] != 1) scale_row<V>(a.value_depth, at.factor[i], y + i * out.ldy, y + i * out.ldy);
      }
      const Rows v = loadable<V>(keys, a.value_depth, a.v + s * a.ldv, a.ldv, at);
      block_product<V>(LayoutA::kColumns, rows, a.value_depth, keys, at.x, lanes, v, s > 0, y, out.ldy);
    }
    for (Index i = 0; i < rows; ++i) {
      out.top[t + i] = at.top[i];
      out.inverse_sum[t + i] = 1 / at.sum[i];
      scale_row<V>(a.value_depth, out.inverse_sum[t + i], y + i * out.ldy, y + i * out.ldy);
    }
  }
}

// The weights are inverse_sum p. That factor, and the `scale` of the gradients of q and k, are applied to gy: once per
// query, not per score.
template <class V>
void attention_gradient(const Attention& a, const AttentionOutput& out, const AttentionGradient& grad,
                        Real* workspace) noexcept {
  const AttentionBuffers<V> at(a, workspace);
  for (Index t = 0; t < a.queries; t += kBlockQueries) {
    const Index rows = smaller(a.queries - t, kBlockQueries), lanes = round_up(rows, kLanes<V>);
    const Real *const q = a.q + t * a.ldq, *const gy = grad.gy + t * out.ldy;
    Real* const delta = at.sum;
    for (Index i = 0; i < lanes; ++i) {
      at.top[i] = i < rows ? out.top[t + i] : 0;
      at.factor[i] = i < rows ? out.inverse_sum[t + i] * a.scale : 0;
      delta[i] = 0;
    }
    transpose_rows<V>(rows, a.depth, q, a.ldq, at.q, lanes);
    transpose_rows<V>(rows, a.value_depth, gy, out.ldy, at.gy, lanes);
    transpose_rows<V>(rows, a.value_depth, out.y + t * out.ldy, out.ldy, at.y, lanes);
    for (Index i = 0; i < a.value_depth * lanes; i += kLanes<V>) {
      const Index lane = i % lanes;
      const V gy_i = V::load_unaligned(at.gy + i) * V::load_unaligned(at.factor + lane);
      gy_i.store_unaligned(at.gy + i);
      mul_add(gy_i, V::load_unaligned(at.y + i), V::load_unaligned(delta + lane)).store_unaligned(delta + lane);
    }
    for (Index i = 0; i < rows; ++i) {
      scale_row<V>(a.value_depth, out.inverse_sum[t + i], gy + i * out.ldy, at.gy_rows + i * at.value_columns);
    }
    for (Index s = 0; s < a.keys; s += kBlockKeys) {
      const Index keys = smaller(a.keys - s, kBlockKeys);
      const Real *const k = a.k + s * a.ldk, *const v = a.v + s * a.ldv;
      block_product<V>(LayoutA::kRows, keys, lanes, a.depth, k, a.ldk, {at.q, lanes}, false, at.x, lanes);
      block_product<V>(LayoutA::kRows, keys, lanes, a.value_depth, v, a.ldv, {at.gy, lanes}, false, at.g, lanes);
      score_gradients<V>(keys, lanes, a.scale * kLog2E, at.top, delta, at.x, at.g);
      block_product<V>(LayoutA::kRows, keys, a.value_depth, rows, at.x, lanes, {at.gy_rows, at.value_columns}, t > 0,
                       grad.gv + s * a.ldv, a.ldv);
      block_product<V>(LayoutA::kRows, keys, a.depth, rows, at.g, lanes, loadable<V>(rows, a.depth, q, a.ldq, at),
                       t > 0, grad.gk + s * a.ldk, a.ldk);
      block_product<V>(LayoutA::kColumns, rows, a.depth, keys, at.g, lanes, loadable<V>(keys, a.depth, k, a.ldk, at),
                       s > 0, grad.gq + t * a.ldq, a.ldq);
    }
  }
}

}  // namespace

namespace RILL_SET {

extern constinit const AttentionKernels attention_kernels = {
    .attention_workspace = attention_workspace<Registers>,
    .attention = attention<Registers>,
    .attention_gradient = attention_gradient<Registers>,
};

}

}  // namespace rill::simd
