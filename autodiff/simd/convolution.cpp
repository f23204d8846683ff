// Convolutions as matrix products whose left operand is read in place, without im2col.
//
// With channels innermost, the numbers that one output pixel reads from a row of the image are contiguous: all channels
// of the first tap, then those of the next. So the pixels of a row of outputs are the rows of a matrix A that overlap
// in memory, x_step.place numbers apart, and a convolution is A times the rows of w, with one run of terms per row of
// taps. The tiles of the matrix product (gemm-tile-inl.hpp) compute all of it, with their sums in registers throughout.
#include "autodiff/simd/convolution.hpp"

#include "autodiff/simd/gemm-tile-inl.hpp"
#include "autodiff/simd/set-inl.hpp"

namespace rill::simd {
namespace {

/// Merges taps of a row whose channels are contiguous in memory into one tap with more channels.
Convolution with_merged_taps(Convolution g) {
  if (g.tap_place == g.channels) g.channels *= g.taps_x, g.taps_x = 1;
  return g;
}

/// The number of columns of w or y in a panel: the width of a tile.
template <class V>
constexpr Index kConvolutionPanel = kTileWidth* kLanes<V>;

/// Calls product(registers, j, last) for every panel of `columns` columns: the number of registers in use, the first
/// column, and the number of lanes in use in the last of these registers.
template <class V, class Product>
void for_panels(Index columns, const Product& product) {
  constexpr Index L = kLanes<V>;
  for (Index j = 0; j < columns; j += kConvolutionPanel<V>) {
    const Index here = smaller(columns - j, kConvolutionPanel<V>), registers = (here + L - 1) / L;
    product(registers, j, here - (registers - 1) * L);
  }
}

/// Prefetches n numbers into L2.
void fetch(const Real* x, Index n) {
  constexpr Index kLine = 64 / Index{sizeof(Real)};
  for (Index i = 0; i < n; i += kLine) __builtin_prefetch(x + i, 0, 2);
}

/// A panel of y, rows i and i + 1, from a panel of w: both rows share the tiles that one row would only half fill.
template <class V, int width = kTileWidth>
void folded_product(Index registers, const Runs& runs, const Real* x, Index x_place, const Real* w, TileOutput out) {
  if constexpr (width > 1) {
    if (registers < width) return folded_product<V, width - 1>(registers, runs, x, x_place, w, out);
  }
  tile<V, kTileRows, width, false, false, true>(runs, x, x_place, w, kConvolutionPanel<V>, out);
}

template <class V>
void convolution(const Convolution& any, const Real* w, const Real* bias, Steps step, Real* y) noexcept {
  const Convolution g = with_merged_taps(any);
  const Index terms_per_row = g.taps_x * g.channels, terms = g.taps_y * terms_per_row;
  // A panel of w is read for every tile, from L2 if it is too large for L1: at most 128 KB at a time on AVX-512.
  constexpr Index kTerms = 4096 / Index{sizeof(Real)};
  const Index most = terms_per_row > 0 && terms_per_row < kTerms ? kTerms / terms_per_row : 1;
  const bool folds = 2 * g.columns == kTileRows && step.row == g.columns * step.place;
  for_panels<V>(g.outputs, [&](Index registers, Index o, Index last) {
    Index u = 0;
    do {  // at least once: without taps, y is the bias
      const Runs runs = {smaller(most, g.taps_y - u), g.tap_row, g.taps_x, g.tap_place, g.channels, g.x_step.row};
      const Real* panel = w + o * terms + u * terms_per_row * kConvolutionPanel<V>;
      for (Index n = 0; n < g.images; ++n) {
        for (Index i = 0; i < g.rows; ++i) {
          const Real* x = g.x + n * g.x_step.image + i * g.x_step.row + u * g.tap_row;
          const TileOutput out = {y + n * step.image + i * step.row + o, step.place,
                                  bias && u == 0 ? bias + o : nullptr, u > 0, last};
          const bool two_rows = folds && i + 1 < g.rows;
          if (o == 0 && u == 0) fetch(g.next + (n * g.rows + i) * g.next_row, (two_rows ? 2 : 1) * g.next_row);
          if (two_rows) {
            folded_product<V>(registers, runs, x, g.x_step.place, panel, out);
            ++i;
          } else {
            panel_product<V, LayoutA::kRows, false, kTileWidth>(registers, g.columns, runs, x, g.x_step.place, panel,
                                                                kConvolutionPanel<V>, out);
          }
        }
      }
      u += most;
    } while (u < g.taps_y);
  });
}

/// The same tiles: a row of A^T is what one tap and channel reads, and the terms are the pixels of all images.
template <class V>
void convolution_weight(const Convolution& any, const Real* y, bool accumulate, Index w_row, Real* w) noexcept {
  const Convolution g = with_merged_taps(any);
  const Index places = g.images * g.rows * g.columns;
  const Runs runs = {g.images, g.x_step.image, g.rows, g.x_step.row, g.columns};
  for_panels<V>(g.outputs, [&](Index registers, Index o, Index last) {
    for (Index u = 0; u < g.taps_y; ++u) {
      for (Index v = 0; v < g.taps_x; ++v) {
        panel_product<V, LayoutA::kColumns, false, kTileWidth>(
            registers, g.channels, runs, g.x + u * g.tap_row + v * g.tap_place, g.x_step.place, y + o * places,
            kConvolutionPanel<V>, {w + (u * g.taps_x + v) * g.channels * w_row + o, w_row, nullptr, accumulate, last});
      }
    }
  });
}

}  // namespace

namespace RILL_SET {

extern constinit const ConvolutionKernels convolution_kernels = {
    .panel = kConvolutionPanel<Registers>,
    .convolution = convolution<Registers>,
    .convolution_weight = convolution_weight<Registers>,
};

}

}  // namespace rill::simd
