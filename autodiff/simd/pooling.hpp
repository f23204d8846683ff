// Pooling, one image at a time.
#pragma once

#include "autodiff/real.hpp"

namespace rill::simd {

/// A range of rows or columns of pixels: [begin, end).
struct Range {
  Index begin, end;
};

/// For each element (i, j) of a grid, a rectangle of pixels of an image [., width, channels]: rows[i] by columns[j].
struct Rectangles {
  Index row_count, column_count;
  const Range* rows;     ///< row_count of them
  const Range* columns;  ///< column_count of them
  Index width, channels;
};

struct PoolingKernels {
  // Pooling of one image. y: [row_count, column_count, channels]; x, v, gx: [., width, channels].
  /// y = (the sum over each rectangle) / divisor. The error does not grow with the number of pixels.
  void (*sum_rectangles)(const Rectangles&, const Real* x, Real divisor, Real* y) noexcept;
  /// y = v at the first maximum of x in each rectangle, channel by channel, or at the first NaN if there is one. No
  /// rectangle is empty.
  void (*pick_at_maxima)(const Rectangles&, const Real* x, const Real* v, Real* y) noexcept;
  /// gx += g at the same pixels.
  void (*add_at_maxima)(const Rectangles&, const Real* x, const Real* g, Real* gx) noexcept;
};

namespace scalar {
extern const PoolingKernels pooling_kernels;  // to which the other sets leave rare cases
}

}  // namespace rill::simd

#ifdef RILL_REFERENCE
// In plain C++, one number at a time.
#include "autodiff/simd/reference-inl.hpp"

namespace rill::simd::scalar {
namespace {

// Calls body(i, for_each) for number i of the result, where for_each(visit) calls visit(place) with the offset in x of
// each number of its rectangle and channel.
template <class Body>
void for_rectangles(const Rectangles& at, const Body& body) {
  Index out = 0;
  for (Index i = 0; i < at.row_count; ++i) {
    for (Index j = 0; j < at.column_count; ++j) {
      for (Index c = 0; c < at.channels; ++c, ++out) {
        body(out, [&](const auto& visit) {
          for (Index r = at.rows[i].begin; r < at.rows[i].end; ++r) {
            for (Index k = at.columns[j].begin; k < at.columns[j].end; ++k) {
              visit((r * at.width + k) * at.channels + c);
            }
          }
        });
      }
    }
  }
}

// The offset of the first maximum, or of the first NaN.
template <class Visit>
Index first_maximum(const Real* x, const Visit& for_places) {
  Index best = -1;
  for_places([&](Index place) {
    if (best < 0 || x[place] > x[best] || (std::isnan(x[place]) && !std::isnan(x[best]))) best = place;
  });
  return best;
}

void sum_rectangles(const Rectangles& at, const Real* x, Real divisor, Real* y) noexcept {
  for_rectangles(at, [=](Index i, const auto& for_places) {
    LongSum sum;
    for_places([&](Index place) { sum.add(x[place]); });
    y[i] = static_cast<Real>(sum.value() / static_cast<Wide>(divisor));
  });
}

void pick_at_maxima(const Rectangles& at, const Real* x, const Real* v, Real* y) noexcept {
  for_rectangles(at, [=](Index i, const auto& for_places) { y[i] = v[first_maximum(x, for_places)]; });
}

void add_at_maxima(const Rectangles& at, const Real* x, const Real* g, Real* gx) noexcept {
  for_rectangles(at, [=](Index i, const auto& for_places) { gx[first_maximum(x, for_places)] += g[i]; });
}

}  // namespace

extern constinit const PoolingKernels pooling_kernels = {
    .sum_rectangles = sum_rectangles,
    .pick_at_maxima = pick_at_maxima,
    .add_at_maxima = add_at_maxima,
};

}  // namespace rill::simd::scalar
#endif
