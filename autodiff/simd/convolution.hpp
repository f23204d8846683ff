// The sums of convolutions.
#pragma once

#include "autodiff/real.hpp"

namespace rill::simd {

/// The strides from one image, row or pixel ("place") of an array to the next, in numbers.
struct Steps {
  Index image, row, place;
};

/// The sums of a convolution, for one group of channels:
///   y[n, i, j, o] = bias[o] + sum_{u, v, c} x[n, i, j; u, v, c] w[u, v, c, o]
/// i < rows, j < columns, o < outputs; u < taps_y, v < taps_x, c < channels, with
///   x[n, i, j; u, v, c] = x[n x_step.image + i x_step.row + j x_step.place + u tap_row + v tap_place + c]
///   y[n, i, j, o]       = y[n y_step.image + i y_step.row + j y_step.place + o]
/// Padding is part of the memory that x points to; x_step holds the stride, tap_row and tap_place the dilation.
struct Convolution {
  Index images, rows, columns, outputs;
  Index taps_y, taps_x, channels;
  const Real* x;
  Steps x_step;
  Index tap_row, tap_place;
  /// What to prefetch into the cache for the next call: this many numbers for every row of y.
  const Real* next = nullptr;
  Index next_row = 0;
};

struct ConvolutionKernels {
  // Convolutions. The operand that x is multiplied by, w in the first and y in the second, is packed in panels: all
  // rows of its first `panel` columns, then all rows of the next ones; the last panel is padded with zeros. Panels are
  // aligned.
  int panel;
  /// y[n, i, j, o] is at y[n step.image + i step.row + j step.place + o]; w has taps_y taps_x channels rows; bias may
  /// be null.
  void (*convolution)(const Convolution&, const Real* w, const Real* bias, Steps step, Real* y) noexcept;
  /// w[u, v, c, o] = sum_{n, i, j} x[n, i, j; u, v, c] y[n, i, j, o], added to what w holds if `accumulate`; it is at
  /// w[((u taps_x + v) channels + c) w_row + o]. y has images rows columns rows.
  void (*convolution_weight)(const Convolution&, const Real* y, bool accumulate, Index w_row, Real* w) noexcept;
};

}  // namespace rill::simd

#ifdef RILL_REFERENCE
// In plain C++, one number at a time.
#include "autodiff/simd/reference-inl.hpp"

namespace rill::simd::scalar {
namespace {

constexpr int kPanel = 4;

// Calls visit(x, row of w, row of y, o) for every product of a convolution; x is an offset into its array.
template <class Visit>
void for_products(const Convolution& g, const Visit& visit) {
  Index y = 0;
  for (Index n = 0; n < g.images; ++n) {
    for (Index i = 0; i < g.rows; ++i) {
      for (Index j = 0; j < g.columns; ++j, ++y) {
        const Index place = n * g.x_step.image + i * g.x_step.row + j * g.x_step.place;
        Index w = 0;
        for (Index u = 0; u < g.taps_y; ++u) {
          for (Index v = 0; v < g.taps_x; ++v) {
            const Index tap = place + u * g.tap_row + v * g.tap_place;
            for (Index c = 0; c < g.channels; ++c, ++w) {
              for (Index o = 0; o < g.outputs; ++o) visit(tap + c, w, y, o);
            }
          }
        }
      }
    }
  }
}

// Element (row, column) of a matrix of `rows` rows in panels.
Index in_panels(Index row, Index column, Index rows) {
  return (column / kPanel * rows + row) * kPanel + column % kPanel;
}

void convolution(const Convolution& g, const Real* w, const Real* bias, Steps step, Real* y) noexcept {
  const auto place = [&](Index row) {
    return row / (g.rows * g.columns) * step.image + row / g.columns % g.rows * step.row + row % g.columns * step.place;
  };
  const Index places = g.images * g.rows * g.columns, terms = g.taps_y * g.taps_x * g.channels;
  for (Index row = 0; row < places; ++row) {
    for (Index o = 0; o < g.outputs; ++o) y[place(row) + o] = bias ? bias[o] : 0;
  }
  for_products(g, [&](Index x_at, Index w_at, Index y_at, Index o) {
    y[place(y_at) + o] += g.x[x_at] * w[in_panels(w_at, o, terms)];
  });
}

void convolution_weight(const Convolution& g, const Real* y, bool accumulate, Index w_row, Real* w) noexcept {
  const Index places = g.images * g.rows * g.columns;
  for (Index row = 0; row < g.taps_y * g.taps_x * g.channels && !accumulate; ++row) {
    for (Index o = 0; o < g.outputs; ++o) w[row * w_row + o] = 0;
  }
  for_products(g, [&](Index x_at, Index w_at, Index y_at, Index o) {
    w[w_at * w_row + o] += g.x[x_at] * y[in_panels(y_at, o, places)];
  });
}

}  // namespace

extern constinit const ConvolutionKernels convolution_kernels = {
    .panel = kPanel,
    .convolution = convolution,
    .convolution_weight = convolution_weight,
};

}  // namespace rill::simd::scalar
#endif
