// Pooling: lanes are channels, so that each pixel of a rectangle is whole registers.
#include "autodiff/simd/pooling.hpp"

#include "autodiff/simd/math-inl.hpp"
#include "autodiff/simd/set-inl.hpp"

namespace rill::simd {
namespace {

/// Calls body(out, part, places, for_places) for every register of the result: `out` is its offset in y, and
/// for_places(visit) calls visit(place) with the offset of the same channels in x, for each of the rectangle's `places`
/// pixels.
template <class V, class Body>
void for_rectangles(const Rectangles& at, const Body& body) {
  Index out = 0;
  for (Index i = 0; i < at.row_count; ++i) {
    const Range rows = at.rows[i];
    for (Index j = 0; j < at.column_count; ++j, out += at.channels) {
      const Range columns = at.columns[j];
      for_registers<V>(at.channels, [&](Index c, auto part) {
        body(out + c, part, (rows.end - rows.begin) * (columns.end - columns.begin), [&](const auto& visit) {
          for (Index r = rows.begin; r < rows.end; ++r) {
            for (Index k = columns.begin; k < columns.end; ++k) visit((r * at.width + k) * at.channels + c);
          }
        });
      });
    }
  }
}

/// This many pixels are summed directly. Such sums are added with compensation (Kahan and Babuska, 1969), so that the
/// error does not grow with the number of pixels.
constexpr Index kPlacesOfBlock = 16;

/// y = quotient(the sum over each rectangle). Returns whether all sums are finite.
template <class V, class Quotient>
bool sum_rectangles(const Rectangles& at, const Real* x, const Quotient& quotient, Real* y) {
  bool finite = true;
  for_rectangles<V>(at, [=, &finite](Index out, auto part, Index places, const auto& for_places) {
    V sum(0);
    if (places <= kPlacesOfBlock) {
      for_places([&](Index place) { sum = sum + part.load(x + place); });
    } else {
      V lost(0), block(0);
      const auto add_block = [&] {
        const ExactSum<V> total = exact_sum(sum, block);
        sum = total.sum;
        lost = lost + total.rest;
        block = V(0);
      };
      Index count = 0;
      for_places([&](Index place) {
        block = block + part.load(x + place);
        if (++count % kPlacesOfBlock == 0) add_block();
      });
      add_block();
      sum = xsimd::select(xsimd::abs(sum) < V(kInfinity), V(sum + lost), sum);  // if sum is infinite, lost is NaN
    }
    finite = is_finite(sum) && finite;
    part.store(y + out, quotient(sum));
  });
  return finite;
}

template <class V>
[[gnu::flatten]] void sum_rectangles(const Rectangles& at, const Real* x, Real divisor, Real* y) noexcept {
  const V inverse(1 / divisor);
  const bool exact = (bits_as<Word>(divisor) & math::kMantissaMask) == 0;  // a power of two: `inverse` did not round
  const bool finite = exact ? sum_rectangles<V>(
                                  at, x, [=](V sum) { return V(sum * inverse); }, y)
                            : sum_rectangles<V>(
                                  at, x, [=](V sum) { return divide(sum, V(divisor)); }, y);
  if (!finite) [[unlikely]]
    scalar::pooling_kernels.sum_rectangles(at, x, divisor, y);
}

template <class V>
[[gnu::flatten]] void pick_at_maxima(const Rectangles& at, const Real* x, const Real* v, Real* y) noexcept {
  for_rectangles<V>(at, [=](Index out, auto part, Index, const auto& for_places) {
    V best(-kInfinity), picked(0);
    bool first = true;
    for_places([&](Index place) {
      const V x_place = part.load(x + place), v_place = part.load(v + place);
      if (first) {
        best = x_place, picked = v_place, first = false;
        return;
      }
      // The larger one, or a NaN; a NaN in best stays, because it is maximum()'s first argument.
      const V larger = maximum(best, x_place);
      const auto stays = xsimd::isnan(best) | (best >= x_place);
      picked = xsimd::select(stays, picked, v_place);
      best = larger;
    });
    part.store(y + out, picked);
  });
}

template <class V>
[[gnu::flatten]] void add_at_maxima(const Rectangles& at, const Real* x, const Real* g, Real* gx) noexcept {
  for_rectangles<V>(at, [=](Index out, auto part, Index, const auto& for_places) {
    V best(-kInfinity);
    for_places([&](Index place) { best = maximum(best, part.load(x + place)); });
    V rest = part.load(g + out);  // gradients that are not yet placed
    for_places([&](Index place) {
      const V x_place = part.load(x + place);
      const auto here = xsimd::isnan(x_place) | (x_place == best);
      part.store(gx + place, V(part.load(gx + place) + xsimd::select(here, rest, V(0))));
      rest = xsimd::select(here, V(0), rest);
    });
  });
}

}  // namespace

namespace RILL_SET {

extern constinit const PoolingKernels pooling_kernels = {
    .sum_rectangles = sum_rectangles<Registers>,
    .pick_at_maxima = pick_at_maxima<Registers>,
    .add_at_maxima = add_at_maxima<Registers>,
};

}

}  // namespace rill::simd
