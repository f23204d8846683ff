// Pooling, one image at a time.
#pragma once

#include "autodiff/real.hpp"

namespace rill::simd {

/// Some neighbouring rows or columns of places: [begin, end).
struct Range {
  Index begin, end;
};

/// For each place (i, j) of a grid, a rectangle of places of an image [., width, channels]: rows[i] by columns[j].
struct Rectangles {
  Index row_count, column_count;
  const Range* rows;     ///< row_count of them
  const Range* columns;  ///< column_count of them
  Index width, channels;
};

struct PoolingKernels {
  // Pooling, of one image. y: [row_count, column_count, channels]; x, v, gx: [., width, channels].
  /// y = the sum over each rectangle / divisor. The error does not grow with the number of places.
  void (*sum_rectangles)(const Rectangles&, const Real* x, Real divisor, Real* y) noexcept;
  /// y = v where x is first the maximum of each rectangle, channel by channel; or where x is first NaN, if it is. None
  /// of the rectangles is empty.
  void (*pick_at_maxima)(const Rectangles&, const Real* x, const Real* v, Real* y) noexcept;
  /// gx += g at those places
  void (*add_at_maxima)(const Rectangles&, const Real* x, const Real* g, Real* gx) noexcept;
};

namespace scalar {
extern const PoolingKernels pooling_kernels;  // which the other sets leave rare cases to
}

}  // namespace rill::simd

#ifdef RILL_REFERENCE
// In plain C++, one number at a time.
#include "autodiff/simd/reference-inl.hpp"

namespace rill::simd::scalar {
namespace {

// body(i, c): number i of the grid, channel by channel, and where channel c of its rectangle is to be found in x, by
// visit(place), for every place.
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

// The first place of the maximum, or of a NaN.
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
