// Softmax and its relatives, row by row.
#pragma once

#include "autodiff/simd/reduction-inl.hpp"

namespace rill::simd {
namespace {

template <class V>
Real row_max(Index columns, const Real* x) {
  Real m;
  reduce_row<V, Max>(columns, x, &m);
  return m;
}

/// sum_c e^(x[c] - m)
template <class V>
Real row_sum_exp(Index columns, const Real* x, Real m) {
  return reduce_registers<V, Sum>(columns, [=](Index c, auto part) { return math::exp(V(part.load(x + c) - V(m))); });
}

template <class V>
void softmax(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
    const Real m = row_max<V>(columns, x);
    for_registers<V>(columns, [=](Index c, auto part) { part.store(y + c, math::exp(V(part.load(x + c) - V(m)))); });
    Real s;
    reduce_row<V, Sum>(columns, y, &s);
    const V scale(1 / s);
    for_registers<V>(columns, [=](Index c, auto part) { part.store(y + c, part.load(y + c) * scale); });
  }
}

template <class V>
void log_softmax(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
    const Real m = row_max<V>(columns, x);
    const V log_s = math::log(V(row_sum_exp<V>(columns, x, m)));
    for_registers<V>(columns, [=](Index c, auto part) { part.store(y + c, part.load(x + c) - V(m) - log_s); });
  }
}

template <class V>
void logsumexp(Index rows, Index columns, const Real* x, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns) {
    const Real m = row_max<V>(columns, x);
    if (m == kInfinity || m == -kInfinity) {
      y[r] = m;  // m - m would be NaN
    } else {
      Head<V>(1).store(y + r, V(m) + math::log(V(row_sum_exp<V>(columns, x, m))));
    }
  }
}

}  // namespace
}  // namespace rill::simd
