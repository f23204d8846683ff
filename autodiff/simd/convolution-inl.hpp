// Convolutions as products whose left operand is read where it is: nothing is unfolded.
//
// With channels innermost, the numbers that one output place reads from a row of the image are neighbours: all channels
// of the first tap, then those of the next. So the places of a row of outputs are the rows of a matrix A that overlap
// in memory, x_step.place numbers apart, and a convolution is that A times the rows of w, one run of terms per row of
// taps: the tiles of the matrix product (gemm-tile-inl.hpp) do all of it, with their sums in registers throughout.
#pragma once

#include "autodiff/simd/gemm-tile-inl.hpp"

namespace rill::simd {
namespace {

/// Taps side by side whose channels are neighbours in memory are one tap with more channels.
Convolution with_merged_taps(Convolution g) {
  if (g.tap_place == g.channels) g.channels *= g.taps_x, g.taps_x = 1;
  return g;
}

/// Calls product(registers, j, last) for panels of `outputs` columns: how many registers a panel has, its
/// first column and how many lanes of its last register exist.
template <class V, class Product>
void for_panels(Index outputs, Index width, const Product& product) {
  constexpr Index L = kLanes<V>;
  for (Index j = 0; j < outputs; j += width * L) {
    const Index columns = smaller(outputs - j, width * L), registers = (columns + L - 1) / L;
    product(registers, j, columns - (registers - 1) * L);
  }
}

template <class V>
void convolution(const Convolution& any, const Real* w, const Real* bias, Real* y) noexcept {
  const Convolution g = with_merged_taps(any);
  // A panel of w is read for every tile, from L2 when it is too large for L1; 128 KB of it, on AVX-512, at a time.
  constexpr Index kTerms = 4096 / Index{sizeof(Real)};
  const Index terms_per_row = g.taps_x * g.channels;
  const Index most = terms_per_row > 0 && terms_per_row < kTerms ? kTerms / terms_per_row : 1;
  for_panels<V>(g.outputs, panel_width(g.columns), [&](Index registers, Index o, Index last) {
    Index u = 0;
    do {  // once even without taps, which leaves the bias
      const Runs runs = {smaller(most, g.taps_y - u), g.tap_row, g.taps_x, g.tap_place, g.channels};
      for (Index n = 0; n < g.images; ++n) {
        for (Index i = 0; i < g.rows; ++i) {
          panel_product<V, LayoutA::kRows, false, kWidestPanel>(
              registers, g.columns, runs, g.x + n * g.x_step.image + i * g.x_step.row + u * g.tap_row, g.x_step.place,
              w + u * terms_per_row * g.w_row + o, g.w_row,
              {y + n * g.y_step.image + i * g.y_step.row + o, g.y_step.place, bias && u == 0 ? bias + o : nullptr,
               u > 0, last});
        }
      }
      u += most;
    } while (u < g.taps_y);
  });
}

/// The same tiles: a row of A^T is what one tap and channel reads, and the terms are the places of all images.
template <class V>
void convolution_weight(const Convolution& any, const Real* y, bool accumulate, Real* w) noexcept {
  const Convolution g = with_merged_taps(any);
  const Runs runs = {g.images, g.x_step.image, g.rows, g.x_step.row, g.columns};
  for_panels<V>(g.outputs, panel_width(g.channels), [&](Index registers, Index o, Index last) {
    for (Index u = 0; u < g.taps_y; ++u) {
      for (Index v = 0; v < g.taps_x; ++v) {
        panel_product<V, LayoutA::kColumns, false, kWidestPanel>(
            registers, g.channels, runs, g.x + u * g.tap_row + v * g.tap_place, g.x_step.place, y + o, g.y_step.place,
            {w + (u * g.taps_x + v) * g.channels * g.w_row + o, g.w_row, nullptr, accumulate, last});
      }
    }
  });
}

}  // namespace
}  // namespace rill::simd
