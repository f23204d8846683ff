// Strips of adjacent registers, down the rows of a matrix, and means with more digits than a Real has.
#pragma once

#include "autodiff/simd/batch-inl.hpp"

namespace rill::simd {
namespace {

/// Calls body(c, width, part) for strips of `width` adjacent registers (a Constant), the first one at column c; `part`
/// says which lanes of the last one are used.
template <class V, int most, class Body>
void for_strips(Index columns, const Body& body) {
  constexpr Index L = kLanes<V>;
  Index c = 0;
  for (; c + most * L <= columns; c += most * L) body(c, Constant<most>{}, Whole<V>{});
  if constexpr (most > 2) {
    if (c + 2 * L <= columns) body(c, Constant<2>{}, Whole<V>{}), c += 2 * L;
  }
  for (; c + L <= columns; c += L) body(c, Constant<1>{}, Whole<V>{});
  if (c < columns) body(c, Constant<1>{}, Head<V>(columns - c));
}

/// Adjacent registers of one row.
template <class V, int width>
struct Strip {
  V at[width];

  template <class Part>
  static Strip load(const Real* x, Part part) {
    Strip s;
    unroll<width - 1>([&](auto i) { s.at[i] = V::load_unaligned(x + i * kLanes<V>); });
    s.at[width - 1] = part.load(x + (width - 1) * kLanes<V>);
    return s;
  }
  template <class Part>
  void store(Real* y, Part part) const {
    unroll<width - 1>([&](auto i) { at[i].store_unaligned(y + i * kLanes<V>); });
    part.store(y + (width - 1) * kLanes<V>, at[width - 1]);
  }
  static Strip zeros() {
    Strip s;
    unroll<width>([&](auto i) { s.at[i] = V(0); });
    return s;
  }
  void add(const Strip& other) {
    unroll<width>([&](auto i) { at[i] = at[i] + other.at[i]; });
  }
};

/// The mean of some numbers, mean + rest.
template <class V>
struct RunningMean {
  V mean, rest = V(0);

  /// `total` is the sum of the differences of `count` numbers from `mean`, share = 1 / count. Returns their mean.
  V move(V total, Index count, V share) {
    const V offset = divide_by(total, V(static_cast<Real>(count)), share);
    const ExactSum<V> moved = exact_sum(mean, offset);
    mean = moved.sum;
    rest = moved.rest;
    return offset;
  }
};

}  // namespace
}  // namespace rill::simd
