// The matrix product: which way to compute it, what to pack, and in which order blocks are visited.
//
// The scheme is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), and BLIS:
// a block of B in the L2 cache, one of its panels in L1, a tile of C in registers. But the products of small networks
// spend longer on packing than it saves, so operands are read in place unless that would cost more.
#pragma once

#include "autodiff/simd/gemm-tile-inl.hpp"

namespace rill::simd {
namespace {

constexpr Index smaller(Index a, Index b) { return a < b ? a : b; }
constexpr Index round_up(Index n, Index multiple) { return (n + multiple - 1) / multiple * multiple; }

/// Block sizes. A panel of B (kDepth x kPanel) is used for all rows of a block of A (kRows x kDepth), which streams
/// past it tile after tile: a row of kTileRows numbers in kTileRows * kTileWidth / 2 cycles, 4 bytes a cycle on
/// AVX-512, which even L3 delivers. The panel is read as a whole for each tile: in float 64 KB on AVX-512, 128 bytes in
/// 14 cycles, which L2 delivers; 32 KB on AVX2, which L1 holds. Deeper panels mean fewer visits of C, higher blocks of
/// A fewer visits of B, and wider blocks of B (kDepth x kColumns) fewer packings of A.
template <class V>
struct BlockSizes {
  static constexpr Index kPanel = kTileWidth * kLanes<V>;
  static constexpr Index kDepth = 2048 / Index{sizeof(Real)};
  static constexpr Index kRows = 504 / kTileRows * kTileRows;
  static constexpr Index kColumns = 4096;
};

/// The number of rows, columns or terms in the next block when `left` are left: blocks as even as can be, multiples of
/// `multiple`, at most `most`.
constexpr Index block_size(Index left, Index most, Index multiple) {
  const Index blocks = (left + most - 1) / most;
  return smaller(left, round_up((left + blocks - 1) / (blocks > 0 ? blocks : 1), multiple));
}

enum class Way {
  kTiles,    ///< register tiles
  kDots,     ///< C has few columns or rows, and both operands are contiguous along k: dot products
  kSwapped,  ///< C has few columns: tiles of C^T = op(B)^T op(A)^T, whose registers they fill
};

/// How one product is computed.
template <class V>
struct Plan {
  Way way;
  bool pack_a, pack_b;

  explicit Plan(const Gemm& g) {
    constexpr Index L = kLanes<V>;
    const bool few_columns = g.n <= L / 2;
    const bool few_rows = g.m <= 4 && g.transpose_b;
    way = Way::kTiles;
    if (!g.transpose_a && g.k >= L && (few_columns || few_rows)) way = Way::kDots;
    if (g.transpose_a && few_columns && g.m >= L) way = Way::kSwapped;
    // Rows that are far apart compete for few sets of a cache. B is read m / kTileRows times, A once per panel of B;
    // packing reads them once. Of a transposed A, each tile reads a few numbers a row: rows must be closer.
    constexpr Index kFar = 2048 / sizeof(Real), kPanel = BlockSizes<V>::kPanel;
    pack_b = g.transpose_b || (g.m >= 64 && g.ldb > 2 * kPanel);
    pack_a = g.lda >= (g.transpose_a ? 2 * kPanel + 1 : kFar) && g.n > 4 * kPanel;
  }
};

/// The product whose result is C^T, without bias.
Gemm swapped(const Gemm& g, Real* c) {
  return {!g.transpose_b, !g.transpose_a, g.n, g.m, g.k, g.b, g.ldb, g.a, g.lda, nullptr, false, c, g.m};
}

template <class V>
Index packed_b_size(const Gemm& g) {
  const Index depth = smaller(g.k, BlockSizes<V>::kDepth);
  return depth * round_up(smaller(g.n, BlockSizes<V>::kColumns), kLanes<V>);
}

/// pack_tile() writes whole registers, so up to one more than the block.
template <class V>
Index packed_a_size(const Gemm& g) {
  return smaller(g.m, BlockSizes<V>::kRows) * smaller(g.k, BlockSizes<V>::kDepth) + kLanes<V>;
}

template <class V>
Index gemm_workspace(const Gemm& g) noexcept {
  const Plan<V> plan(g);
  switch (plan.way) {
    case Way::kDots:
      return g.transpose_b ? 0 : g.n * g.k;
    case Way::kSwapped:
      return round_up(g.m * g.n, 16) + gemm_workspace<V>(swapped(g, nullptr));
    default:
      return packed_b_size<V>(g) + (plan.pack_a ? packed_a_size<V>(g) : 0);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Packing

// A tile or panel wants the numbers that one step of k uses side by side: packed[p size + i] = x[i, p], where `size` is
// the tile's rows or the panel's columns. What a whole register writes past such a group is written again by the next.

/// Strips of an x that is stored with i along its rows, x[p ldx + i]: whole rows are read, a piece for each strip.
/// `size(left)` is the size of the strip that starts with `left` numbers to go. A few rows at a time, so that memory is
/// read in order, and written in pieces of several cache lines; the next few are fetched ahead.
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

/// m rows of op(A), tile after tile.
template <class V>
void pack_a_block(bool transposed, Index m, Index depth, const Real* a, Index lda, Real* packed) {
  if (transposed) return pack_copy<V>(depth, m, a, lda, tile_height, packed);
  for (Index height; m > 0; m -= height, a += height * lda, packed += height * depth) {
    height = tile_height(m);
    pack_transposed<V>(height, depth, a, lda, packed);
  }
}

/// n columns of op(B), panel after panel of `width` registers, zeros at the end.
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

// ---------------------------------------------------------------------------------------------------------------------
// Tiles

/// Columns [j0, j1) and rows [p, p + depth) of op(B): packed if need be, times all of A.
template <class V>
void gemm_block(const Gemm& g, const Plan<V>& plan, Index j0, Index j1, Index p, Index depth, Real* workspace) {
  constexpr Index L = kLanes<V>;
  Real* packed_b = workspace;
  Real* packed_a = workspace + packed_b_size<V>(g);
  const Index registers = (j1 - j0 + L - 1) / L, width = panel_width(g.m);
  // A panel that is not full is packed in any case, so that its last register can be read.
  const Index whole = plan.pack_b ? 0 : (j1 - j0) / (width * L) * width;
  const Index row = g.transpose_b ? 1 : g.ldb, column = g.transpose_b ? g.ldb : 1;
  const Real* b = g.b + p * row + j0 * column;
  pack_b_block<V>(g.transpose_b, j1 - j0 - whole * L, depth, b + whole * L * column, g.ldb, width, packed_b);

  const auto product = plan.pack_a     ? panel_product<V, LayoutA::kPacked, 8>
                       : g.transpose_a ? panel_product<V, LayoutA::kColumns, 8>
                                       : panel_product<V, LayoutA::kRows, 8>;
  for (Index i0 = 0, rows; i0 < g.m; i0 += rows) {
    rows = block_size(g.m - i0, BlockSizes<V>::kRows, kTileRows);
    const Real* a = g.transpose_a ? g.a + p * g.lda + i0 : g.a + i0 * g.lda + p;
    if (plan.pack_a) {
      pack_a_block<V>(g.transpose_a, rows, depth, a, g.lda, packed_a);
      a = packed_a;
    }
    for (Index done = 0, panel; done < registers; done += panel) {
      panel = smaller(width, registers - done);
      const Index j = j0 + done * L;
      const TileOutput out = {g.c + i0 * g.ldc + j, g.ldc, g.bias && p == 0 ? g.bias + j : nullptr,
                              g.accumulate || p > 0, smaller(j1 - j, panel * L) - (panel - 1) * L};
      if (done < whole) {
        product(panel, rows, depth, a, g.lda, b + done * L, g.ldb, out);
      } else {
        product(panel, rows, depth, a, g.lda, packed_b + (done - whole) * L * depth, panel * L, out);
      }
    }
    if (g.finish && j1 == g.n && p + depth == g.k) g.finish(g.context, i0, i0 + rows);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Dot products

template <class V, int columns = 4>
void gemm_dots(const Gemm& g, const Real* b, Index ldb, Index j = 0) {
  if constexpr (columns <= V::size) {
    for (; j + columns <= g.n; j += columns) {
      dots<V, columns>(g.m, g.k, g.a, g.lda, b + j * ldb, ldb,
                       {g.c + j, g.ldc, g.bias ? g.bias + j : nullptr, g.accumulate, 0});
    }
  }
  if constexpr (columns > 1) gemm_dots<V, columns / 2>(g, b, ldb, j);
}

/// C from the C^T that the workspace holds.
void swap_back(const Gemm& g, const Real* workspace) {
  for (Index i = 0; i < g.m; ++i) {
    for (Index j = 0; j < g.n; ++j) {
      Real& c = g.c[i * g.ldc + j];
      c = workspace[j * g.m + i] + (g.bias ? g.bias[j] : 0) + (g.accumulate ? c : 0);
    }
  }
}

template <class V>
void gemm(const Gemm& g, Real* workspace) noexcept {
  const Plan<V> plan(g);
  if (plan.way == Way::kTiles) {
    for (Index j = 0, columns; j < g.n; j += columns) {
      columns = block_size(g.n - j, BlockSizes<V>::kColumns, BlockSizes<V>::kPanel);
      Index p = 0;
      do {  // once even when k = 0, which leaves the bias
        const Index depth = block_size(g.k - p, BlockSizes<V>::kDepth, 8);
        gemm_block<V>(g, plan, j, j + columns, p, depth, workspace);
        p += depth;
      } while (p < g.k);
    }
    return;
  }
  if (plan.way == Way::kSwapped) {
    gemm<V>(swapped(g, workspace), workspace + round_up(g.m * g.n, 16));
    swap_back(g, workspace);
  } else if (g.transpose_b) {
    gemm_dots<V>(g, g.b, g.ldb);
  } else {
    transpose_matrix<V>(g.k, g.n, g.b, g.ldb, workspace, g.k);
    gemm_dots<V>(g, workspace, g.k);
  }
  if (g.finish) g.finish(g.context, 0, g.m);
}

}  // namespace
}  // namespace rill::simd
