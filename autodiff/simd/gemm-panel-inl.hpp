// The panels of a matrix product: their shape, and how to multiply by one.
#pragma once

#include "autodiff/simd/batch-inl.hpp"

namespace rill::simd {

/// Where a tile goes: C += or = acc + bias.
struct TileOutput {
  Real* c;
  Index ldc;
  const Real* bias;  // at the tile's first column, or null
  bool accumulate;
  Index last;  // number of lanes of the last register that are in C
};

/// Where element (i, p) of op(A) is.
enum class LayoutA {
  kRows,     ///< i lda + p
  kColumns,  ///< p lda + i
  kPacked,   ///< tile by tile, each like kColumns with lda = the tile's rows
};

/// panel_product() of gemm-tile-inl.hpp, for sums that are single runs.
using PanelProduct = void (*)(Index registers, Index m, Index k, const Real* a, Index lda, const Real* b, Index ldb,
                              TileOutput out);

namespace RILL_SET {
/// By LayoutA, and whether the last register of a row of B is incomplete. gemm.cpp defines them, so that the tiles,
/// which take longer to compile than all other kernels, are compiled once.
extern const PanelProduct panel_products[3][2];
}  // namespace RILL_SET

namespace {

constexpr Index smaller(Index a, Index b) { return a < b ? a : b; }
constexpr Index round_up(Index n, Index multiple) { return (n + multiple - 1) / multiple * multiple; }

/// A tile is kTileRows x (kTileWidth L) elements of C, held in registers while k runs. Each step loads kTileWidth
/// registers of B, repeats kTileRows elements of A and does kTileRows * kTileWidth multiply-adds.
///   - These are independent; latency x units of them keep the units busy: at least 4 x 2 = 8.
///   - Their sums, the registers of B and one of A must fit into the register file.
///   - The fewer loads per multiply-add the better: two of each can start per cycle.
///   - The narrower the tile, the deeper a panel of B that stays in L1 (gemm-inl.hpp).
#if defined(__AVX512F__)
constexpr int kTileRows = 14, kTileWidth = 2;  // 28 + 2 + 1 of 32 registers; 16 loads for 28 multiply-adds
#elif defined(__AVX2__)
constexpr int kTileRows = 6, kTileWidth = 2;  // 12 + 2 + 1 of 16; 8 for 12
#elif defined(__aarch64__)
constexpr int kTileRows = 8, kTileWidth = 3;  // 24 + 3 + 2 of 32; 5 for 24, as one load brings four elements of A
#else
constexpr int kTileRows = 4, kTileWidth = 2;  // 8 + 2 + 1 of 16, and one for the products: SSE2 has no multiply-add
#endif

/// The width of the panels: wider for a C of at most three rows, to read more of B at a time.
constexpr int panel_width(Index rows) {
  constexpr int kWidths[] = {4, 4, 4, 3};
  return rows <= 3 ? kWidths[rows] : kTileWidth;
}
constexpr int kWidestPanel = 4;

/// Whether loading part of a register costs no more than loading a whole one; otherwise such operands are packed first.
#if defined(__AVX512F__) || defined(__AVX2__)
constexpr bool kPartialLoads = true;
#else
constexpr bool kPartialLoads = false;
#endif

}  // namespace
}  // namespace rill::simd
