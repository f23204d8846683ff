// Sums and maxima of registers.
#pragma once

#include "autodiff/simd/math-inl.hpp"

namespace rill::simd {
namespace {

/// What a reduction does to a register and to a number.
template <class V>
struct Sum {
  static constexpr Real kStart = 0;
  static V combine(V a, V b) { return a + b; }
  static Real combine(Real a, Real b) { return a + b; }
};
template <class V>
struct Max {
  static constexpr Real kStart = -kInfinity;
  static V combine(V a, V b) { return maximum(a, b); }
  static Real combine(Real a, Real b) { return a != a || a > b ? a : b; }
};

/// This many terms are combined into a partial result before it is added to the total, so that the rounding errors of a
/// long sum grow only with its number of blocks.
constexpr Index kBlock = 64;

/// term(i, part) combined over i = 0, L, 2L, ... below n, lane by lane. In four chains: an addition has a latency of
/// some four cycles, and two can start per cycle.
template <class V, template <class> class Op, class Term>
V combine_registers(Index n, const Term& term) {
  constexpr Index L = kLanes<V>;
  const V start(Op<V>::kStart);
  V total = start;
  Index i = 0;
  while (i + 4 * L <= n) {
    V a = start, b = start, c = start, d = start;
    for (const Index stop = i + kBlock * 4 * L; i + 4 * L <= n && i < stop; i += 4 * L) {
      a = Op<V>::combine(a, term(i, Whole<V>{}));
      b = Op<V>::combine(b, term(i + L, Whole<V>{}));
      c = Op<V>::combine(c, term(i + 2 * L, Whole<V>{}));
      d = Op<V>::combine(d, term(i + 3 * L, Whole<V>{}));
    }
    total = Op<V>::combine(total, Op<V>::combine(Op<V>::combine(a, b), Op<V>::combine(c, d)));
  }
  for (; i + L <= n; i += L) total = Op<V>::combine(total, term(i, Whole<V>{}));
  if (i < n) {
    const Head<V> head(n - i);
    total = Op<V>::combine(total, head.keep(term(i, head), start));
  }
  return total;
}

/// The same, and then over lanes; every lane holds the result.
template <class V, template <class> class Op, class Term>
V reduce_registers(Index n, const Term& term) {
  return fold_lanes(combine_registers<V, Op>(n, term), [](V x, V y) { return Op<V>::combine(x, y); });
}

}  // namespace
}  // namespace rill::simd
