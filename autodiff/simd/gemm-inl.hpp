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

/// Block sizes. A block of B (kDepth x kColumns) takes half of an L2 cache of 1 MB, one of A (kRows x kDepth) a
/// quarter. A panel of B (kDepth x kPanel) fits L1 except on AVX-512, where it streams from L2: 256 bytes in 12 cycles.
/// Shallower blocks would stay in L1, but visit C more often.
template <class V>
struct BlockSizes {
  static constexpr Index kDepth = 256;
  static constexpr Index kColumns = Index{524288} / (kDepth * Index{sizeof(Real)});
  static constexpr Index kRows = 40 * kTileRows;
  static constexpr Index kPanel = kTileWidth * kLanes<V>;
};

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
  return round_up(depth * round_up(smaller(g.n, BlockSizes<V>::kColumns), kLanes<V>), 16);
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
      return packed_b_size<V>(g) +
             (plan.pack_a ? smaller(g.m, BlockSizes<V>::kRows) * smaller(g.k, BlockSizes<V>::kDepth) : 0);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Packing

/// `columns` columns of op(B) from row p and column j on, as `depth` rows of `packed_columns`, zeros at the end.
template <class V>
void pack_b_panel(const Gemm& g, Index p, Index j, Index depth, Index columns, Index packed_columns, Real* packed) {
  if (g.transpose_b) {
    const Real* b = g.b + j * g.ldb + p;
    transpose_matrix<V>(columns, depth, b, g.ldb, packed, packed_columns);
    for (Index r = 0; r < depth; ++r) {
      for (Index c = columns; c < packed_columns; ++c) packed[r * packed_columns + c] = 0;
    }
  } else {
    const Real* b = g.b + p * g.ldb + j;
    for (Index r = 0; r < depth; ++r, b += g.ldb, packed += packed_columns) {
      for_registers<V>(columns, [=](Index c, auto part) { part.load(b + c).store_unaligned(packed + c); });
    }
  }
}

/// Rows of op(A) tile by tile, each tile's numbers in the order in which it uses them. Element (i, p) of op(A) is
/// a[i row + p column].
template <int rows>
void pack_a_tiles(Index m, Index depth, const Real* a, Index row, Index column, Real* packed) {
  for (; m >= rows; m -= rows, a += rows * row) {
    for (Index p = 0; p < depth; ++p, packed += rows) {
      unroll<rows>([&](auto i) { packed[i] = a[i * row + p * column]; });
    }
  }
  if constexpr (rows > 1) {
    if (m > 0) pack_a_tiles<fewer_rows(rows)>(m, depth, a, row, column, packed);
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
  const Index registers = (j1 - j0 + L - 1) / L;
  const Index panels = (registers + kTileWidth - 1) / kTileWidth;
  const auto product = plan.pack_a     ? panel_product<V, LayoutA::kPacked>
                       : g.transpose_a ? panel_product<V, LayoutA::kColumns>
                                       : panel_product<V, LayoutA::kRows>;
  for (Index i0 = 0; i0 < g.m; i0 += BlockSizes<V>::kRows) {
    const Index rows = smaller(g.m - i0, BlockSizes<V>::kRows);
    const Real* a = g.transpose_a ? g.a + p * g.lda + i0 : g.a + i0 * g.lda + p;
    if (plan.pack_a) {
      pack_a_tiles<kTileRows>(rows, depth, a, g.transpose_a ? 1 : g.lda, g.transpose_a ? g.lda : 1, packed_a);
      a = packed_a;
    }
    Index done = 0;
    for (Index panel = 0; panel < panels; ++panel) {
      const Index width = (registers - done) / (panels - panel);  // as even as can be, none narrow
      const Index j = j0 + done * L;
      const Index columns = smaller(j1 - j, width * L);
      const bool packed = plan.pack_b || columns < width * L;
      if (packed && i0 == 0) pack_b_panel<V>(g, p, j, depth, columns, width * L, packed_b + done * L * depth);
      const TileOutput out = {g.c + i0 * g.ldc + j, g.ldc, g.bias && p == 0 ? g.bias + j : nullptr,
                              g.accumulate || p > 0, columns - (width - 1) * L};
      product(width, rows, depth, a, g.lda, packed ? packed_b + done * L * depth : g.b + p * g.ldb + j,
              packed ? width * L : g.ldb, out);
      done += width;
    }
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

template <class V>
void gemm(const Gemm& g, Real* workspace) noexcept {
  const Plan<V> plan(g);
  if (plan.way == Way::kDots) {
    if (g.transpose_b) return gemm_dots<V>(g, g.b, g.ldb);
    transpose_matrix<V>(g.k, g.n, g.b, g.ldb, workspace, g.k);
    return gemm_dots<V>(g, workspace, g.k);
  }
  if (plan.way == Way::kSwapped) {
    gemm<V>(swapped(g, workspace), workspace + round_up(g.m * g.n, 16));
    for (Index i = 0; i < g.m; ++i) {
      for (Index j = 0; j < g.n; ++j) {
        Real& c = g.c[i * g.ldc + j];
        c = workspace[j * g.m + i] + (g.bias ? g.bias[j] : 0) + (g.accumulate ? c : 0);
      }
    }
    return;
  }
  for (Index j = 0; j < g.n; j += BlockSizes<V>::kColumns) {
    const Index j1 = smaller(g.n, j + BlockSizes<V>::kColumns);
    Index p = 0;
    do {  // once even when k = 0, which leaves the bias
      const Index depth = smaller(g.k - p, BlockSizes<V>::kDepth);
      gemm_block<V>(g, plan, j, j1, p, depth, workspace);
      p += depth;
    } while (p < g.k);
  }
}

}  // namespace
}  // namespace rill::simd
