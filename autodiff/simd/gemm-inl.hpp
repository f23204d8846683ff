// The matrix product: how to compute it, what to pack, and in which order to visit blocks.
//
// The algorithm is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), and BLIS:
// panels of B that stay close to the core, tiles of A that stream past them, a tile of C in registers. But the products
// of small networks would spend more time packing than they save, so operands are read in place unless that costs more.
#pragma once

#include "autodiff/simd/gemm-pack-inl.hpp"
#include "autodiff/simd/gemm-thin-inl.hpp"

namespace rill::simd {
namespace {

/// Block sizes. A panel of B (kDepth x kPanel) is used for all rows of a block of A (kRows x kDepth), which streams
/// past it tile by tile: kTileRows numbers in kTileRows * kTileWidth / 2 cycles, or 4 bytes per cycle on AVX-512, which
/// even L3 delivers. Each tile reads the whole panel: in float, 64 KB on AVX-512, at 128 bytes in 14 cycles, which L2
/// delivers; 32 KB on AVX2, which fit into L1. Deeper panels mean fewer passes over C, taller blocks of A fewer passes
/// over B, and wider blocks of B (kDepth x kColumns) fewer packings of A.
template <class V>
struct BlockSizes {
  static constexpr Index kPanel = kTileWidth * kLanes<V>;
  static constexpr Index kDepth = 2048 / Index{sizeof(Real)};
  static constexpr Index kRows = 504 / kTileRows * kTileRows;
  static constexpr Index kColumns = 4096;
};

/// The number of rows, columns or terms in the next block if `left` are left: blocks as even as possible, multiples of
/// `multiple`, at most `most`.
constexpr Index block_size(Index left, Index most, Index multiple) {
  const Index blocks = (left + most - 1) / most;
  return smaller(left, round_up((left + blocks - 1) / (blocks > 0 ? blocks : 1), multiple));
}

/// A matrix of one row or column can be read as its transpose. Chooses the reading with contiguous numbers along k or,
/// for a column times a row, along n.
Gemm with_plain_vectors(Gemm g) {
  if (g.m == 1 && g.transpose_a && g.lda == 1) g.transpose_a = false, g.lda = g.k;
  if (g.n == 1 && !g.transpose_b && g.ldb == 1) g.transpose_b = true, g.ldb = g.k;
  if (g.k == 1 && g.n > 1 && g.transpose_b && g.ldb == 1) g.transpose_b = false, g.ldb = g.n;
  return g;
}

enum class Way {
  kTiles,    ///< register tiles
  kDots,     ///< dot products: so few rows or columns that tiles would be narrow, or packing would not pay
  kSwapped,  ///< C has few columns: tiles of C^T = op(B)^T op(A)^T, whose registers they fill
  kRows,  ///< sums of rows of B: k is so small that writing C takes longer than computing it, or C has few, long rows
};

/// How one product is computed.
template <class V>
struct Plan {
  Way way;
  bool pack_a, pack_b;

  explicit Plan(const Gemm& g) {
    constexpr Index L = kLanes<V>;
    // Rows that are far apart compete for few sets of a cache. B is read m / kTileRows times, A once per panel of B;
    // packing reads them once. From a transposed A, each tile reads a few numbers per row, so rows must be closer.
    constexpr Index kFar = 2048 / sizeof(Real), kPanel = BlockSizes<V>::kPanel;
    pack_b = g.transpose_b || (g.m >= 64 && g.ldb > 16 * kPanel);
    pack_a = g.lda >= (g.transpose_a ? 2 * kPanel + 1 : kFar) && g.n > 4 * kPanel;

    // Estimated cycles per row of C, and per 64 columns if there are more, as if C had at most 64 rows: threads get
    // larger pieces, so all pieces are computed in the same way as the whole. A tile does two multiply-adds per cycle,
    // and loads a number of A in half a cycle. Dot products do as many, but each element of C also takes the sum of a
    // register's lanes, some 2.5 cycles. Transposing, to pack B^T or to lay operands of dot products along k, takes a
    // third of a cycle per number.
    const Index rows = smaller(g.m > 0 ? g.m : 1, 64), columns = smaller(g.n, 64);
    const Index registers = (columns + L - 1) / L, chunks = (g.k + L - 1) / L;
    const Real n = static_cast<Real>(columns), k = static_cast<Real>(g.k);
    const Real transposed_a = k / 3, transposed_b = n * k / static_cast<Real>(3 * rows);
    const Real tiles =
        static_cast<Real>(registers) * k / 2 + k / (2 * kTileRows) + (g.transpose_b ? transposed_b : 0) + 2;
    const Real dots = n * (static_cast<Real>(chunks) / 2 + Real(2.5)) + (g.transpose_a ? transposed_a : 0) +
                      (g.transpose_b ? 0 : transposed_b);
    const bool thin = rows < 64 || columns < 64;
    const bool swaps = g.transpose_a && g.n <= L / 2 && g.m >= L && (g.k >= L || g.n == 1);
    const bool few_terms = g.k > 0 && g.k <= kMostTerms && g.n > 1;
    const bool few_rows = g.m <= 3 && g.k > 0 && g.n > 4 * L && !g.transpose_b;
    way = few_terms || few_rows ? Way::kRows : swaps ? Way::kSwapped : thin && dots < tiles ? Way::kDots : Way::kTiles;
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

/// pack_transposed() writes whole registers, so up to one register past the block.
template <class V>
Index packed_a_size(const Gemm& g) {
  return smaller(g.m, BlockSizes<V>::kRows) * smaller(g.k, BlockSizes<V>::kDepth) + kLanes<V>;
}

template <class V>
Index gemm_workspace(const Gemm& any) noexcept {
  const Gemm g = with_plain_vectors(any);
  const Plan<V> plan(g);
  switch (plan.way) {
    case Way::kDots:
      return (g.transpose_b ? 0 : g.n * g.k) + (g.transpose_a ? g.m * g.k : 0);
    case Way::kSwapped:
      return round_up(g.m * g.n, 16) + gemm_workspace<V>(swapped(g, nullptr));
    case Way::kRows:
      return g.transpose_b ? g.k * g.n : 0;
    default:
      return packed_b_size<V>(g) + (plan.pack_a ? packed_a_size<V>(g) : 0);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Tiles

/// All of A times columns [j0, j1) and rows [p, p + depth) of op(B), packed if necessary.
template <class V>
void gemm_block(const Gemm& g, const Plan<V>& plan, Index j0, Index j1, Index p, Index depth, Real* workspace) {
  constexpr Index L = kLanes<V>;
  Real* packed_b = workspace;
  Real* packed_a = workspace + packed_b_size<V>(g);
  const Index registers = (j1 - j0 + L - 1) / L, width = panel_width(g.m);
  // The panels before this register are read in place; a last, partial one is packed where it cannot be read so.
  const Index in_place = plan.pack_b ? 0 : kPartialLoads ? registers : (j1 - j0) / (width * L) * width;
  const Index row = g.transpose_b ? 1 : g.ldb, column = g.transpose_b ? g.ldb : 1;
  const Real* b = g.b + p * row + j0 * column;
  if (in_place < registers) {
    pack_b_block<V>(g.transpose_b, j1 - j0 - in_place * L, depth, b + in_place * L * column, g.ldb, width, packed_b);
  }

  const LayoutA layout = plan.pack_a ? LayoutA::kPacked : g.transpose_a ? LayoutA::kColumns : LayoutA::kRows;
  const auto& products = RILL_SET::panel_products[static_cast<int>(layout)];
  for (Index i0 = 0, rows; i0 < g.m; i0 += rows) {
    rows = block_size(g.m - i0, BlockSizes<V>::kRows, kTileRows);
    const Real* a = g.transpose_a ? g.a + p * g.lda + i0 : g.a + i0 * g.lda + p;
    if (plan.pack_a) {
      pack_a_block<V>(g.transpose_a, rows, depth, a, g.lda, packed_a);
      a = packed_a;
    }
    for (Index done = 0, panel; done < registers; done += panel) {
      panel = smaller(width, registers - done);
      const Index j = j0 + done * L, last = smaller(j1 - j, panel * L) - (panel - 1) * L;
      const TileOutput out = {g.c + i0 * g.ldc + j, g.ldc, g.bias && p == 0 ? g.bias + j : nullptr,
                              g.accumulate || p > 0, last};
      if (done < in_place) {
        products[last < L](panel, rows, depth, a, g.lda, b + done * L, g.ldb, out);
      } else {
        products[0](panel, rows, depth, a, g.lda, packed_b + (done - in_place) * L * depth, panel * L, out);
      }
    }
    if (g.finish && j1 == g.n && p + depth == g.k) g.finish(g.context, i0, i0 + rows);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/// C from the C^T in the workspace.
template <class V>
void swap_back(const Gemm& g, const Real* workspace) {
  if (!g.bias && !g.accumulate) return transpose_matrix<V>(g.n, g.m, workspace, g.m, g.c, g.ldc);
  for (Index i = 0; i < g.m; ++i) {
    for (Index j = 0; j < g.n; ++j) {
      Real& c = g.c[i * g.ldc + j];
      c = workspace[j * g.m + i] + (g.bias ? g.bias[j] : 0) + (g.accumulate ? c : 0);
    }
  }
}

template <class V>
void gemm(const Gemm& any, Real* workspace) noexcept {
  const Gemm g = with_plain_vectors(any);
  const Plan<V> plan(g);
  if (plan.way == Way::kTiles) {
    for (Index j = 0, columns; j < g.n; j += columns) {
      columns = block_size(g.n - j, BlockSizes<V>::kColumns, BlockSizes<V>::kPanel);
      Index p = 0;
      do {  // at least once: if k = 0, C is the bias
        const Index depth = block_size(g.k - p, BlockSizes<V>::kDepth, 8);
        gemm_block<V>(g, plan, j, j + columns, p, depth, workspace);
        p += depth;
      } while (p < g.k);
    }
    return;
  }
  if (plan.way == Way::kRows) return gemm_rows<V>(g, workspace);
  if (plan.way == Way::kDots) {
    gemm_dots<V>(g, workspace);
  } else if (g.n == 1 && g.ldc == 1 && !g.bias && !g.accumulate) {
    gemm<V>(swapped(g, g.c), workspace);  // a column is a row
  } else {
    gemm<V>(swapped(g, workspace), workspace + round_up(g.m * g.n, 16));
    swap_back<V>(g, workspace);
  }
  if (g.finish) g.finish(g.context, 0, g.m);
}

}  // namespace
}  // namespace rill::simd
