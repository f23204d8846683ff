// Packing for the matrix product: copies operands into the order in which tiles and panels read them.
#pragma once

#include "autodiff/simd/gemm-tile-inl.hpp"

namespace rill::simd {
namespace {

// A tile or panel needs the numbers of one step of k side by side: packed[p size + i] = x[i, p], where `size` is
// the tile's rows or the panel's columns. What a whole register writes past such a group, the next group overwrites.

/// Strips of an x that is stored with i along its rows, x[p ldx + i]: reads whole rows, a piece for each strip.
/// `size(left)` is the size of the strip that starts with `left` numbers left. A few rows at a time, so that memory is
/// read in order and written in pieces of several cache lines; the next few rows are prefetched.
template <class V, class Size>
void pack_copy(Index depth, Index count, const Real* x, Index ldx, const Size& size, Real* packed) {
  constexpr Index kGroup = 16;
  for (Index p0 = 0; p0 < depth; p0 += kGroup) {
    Real* strip = packed;
    for (Index i = 0, n; i < count; i += n, strip += n * depth) {
      n = size(count - i);
      for (Index p = p0; p < smaller(p0 + kGroup, depth); ++p) {
        for_registers<V>(smaller(n, count - i), [&](Index c, auto part) {
          const Real* from = x + p * ldx + i + c;
          Real* to = strip + p * n + c;
          __builtin_prefetch(from + kGroup * ldx);
          const V numbers = part.load(from);
          p + 1 < depth || n % kLanes<V> == 0 ? numbers.store_unaligned(to) : part.store(to, numbers);
        });
      }
    }
  }
}

/// One strip of an x that is stored with p along its rows, x[i ldx + p].
template <class V, int size>
[[gnu::flatten]] void pack_transposed(Index depth, const Real* x, Index ldx, Real* packed) {
  constexpr int L = V::size, registers = (size + L - 1) / L;
  for_registers<V>(depth, [&](Index p, auto part) {
    V block[registers][L];
    unroll<registers>([&](auto r) {
      unroll<L>([&](auto i) {
        constexpr int row = r * L + i;
        block[r][i] = row < size ? part.load(x + row * ldx + p) : V(0);
      });
      transpose_registers(block[r]);
    });
    unroll<L>([&](auto i) {
      if (p + i < depth) {
        unroll<registers>([&](auto r) { block[r][i].store_unaligned(packed + (p + i) * size + r * L); });
      }
    });
  });
}
template <class V, int most = kTileRows>
void pack_transposed(Index size, Index depth, const Real* x, Index ldx, Real* packed) {
  if constexpr (most > 1) {
    if (size < most) return pack_transposed<V, most - 1>(size, depth, x, ldx, packed);
  }
  pack_transposed<V, most>(depth, x, ldx, packed);
}

/// m rows of op(A), tile by tile.
template <class V>
void pack_a_block(bool transposed, Index m, Index depth, const Real* a, Index lda, Real* packed) {
  if (transposed) return pack_copy<V>(depth, m, a, lda, tile_height, packed);
  for (Index height; m > 0; m -= height, a += height * lda, packed += height * depth) {
    height = tile_height(m);
    pack_transposed<V>(height, depth, a, lda, packed);
  }
}

/// n columns of op(B), in panels of `width` registers, padded with zeros.
template <class V>
void pack_b_block(bool transposed, Index n, Index depth, const Real* b, Index ldb, Index width, Real* packed) {
  const auto size = [=](Index left) { return smaller(width * kLanes<V>, round_up(left, kLanes<V>)); };
  if (!transposed) return pack_copy<V>(depth, n, b, ldb, size, packed);
  for (Index panel; n > 0; n -= panel, b += panel * ldb, packed += panel * depth) {
    panel = size(n);
    transpose_matrix<V>(smaller(n, panel), depth, b, ldb, packed, panel);
    for (Index p = 0; p < depth; ++p) {
      for (Index c = n; c < panel; ++c) packed[p * panel + c] = 0;
    }
  }
}

}  // namespace
}  // namespace rill::simd
