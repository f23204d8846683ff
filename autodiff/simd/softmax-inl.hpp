// Softmax and its relatives, row by row. What is reduced over a row stays in a register, the same in every lane.
#pragma once

#include "autodiff/simd/reduction-inl.hpp"

namespace rill::simd {
namespace {

template <class V>
V row_max(Index columns, const Real* x) {
  return reduce_registers<V, Max>(columns, [&](Index c, auto part) { return part.load(x + c); });
}

/// sum_c e^(x[c] - m)
template <class V>
V row_sum_exp(Index columns, const Real* x, V m) {
  return reduce_registers<V, Sum>(columns, [&](Index c, auto part) { return math::exp(V(part.load(x + c) - m)); });
}

template <class V>
void softmax(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
    const V m = row_max<V>(columns, x);
    const V sum = reduce_registers<V, Sum>(columns, [&](Index c, auto part) {
      const V e = math::exp(V(part.load(x + c) - m));
      part.store(y + c, e);
      return e;
    });
    const V scale = divide(V(1), sum);
    for_registers<V>(columns, [&](Index c, auto part) { part.store(y + c, part.load(y + c) * scale); });
  }
}

template <class V>
void log_softmax(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
    const V m = row_max<V>(columns, x);
    const V log_s = math::log(row_sum_exp(columns, x, m));
    for_registers<V>(columns, [&](Index c, auto part) { part.store(y + c, part.load(x + c) - m - log_s); });
  }
}

template <class V>
void logsumexp(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns) {
    const V m = row_max<V>(columns, x);
    const auto infinite = xsimd::abs(m) == V(kInfinity);  // then m is the answer, and m - m would be NaN
    y[r] = first_lane(V(xsimd::select(infinite, m, V(m + math::log(row_sum_exp(columns, x, m))))));
  }
}

}  // namespace
}  // namespace rill::simd
