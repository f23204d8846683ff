// Sums and maxima along one axis, and dot products; means are in mean-inl.hpp.
#include "autodiff/simd/reduction.hpp"

#include "autodiff/simd/mean-inl.hpp"
#include "autodiff/simd/reduction-inl.hpp"
#include "autodiff/simd/set-inl.hpp"

namespace rill::simd {
namespace {

/// inner = 1: rows of contiguous numbers.
template <class V, template <class> class Op>
void reduce_row(Index reduced, const Real* x, Real* y) {
  if (reduced < kLanes<V>) {
    Real result = Op<V>::kStart;
    for (Index r = 0; r < reduced; ++r) result = Op<V>::combine(result, x[r]);
    *y = result;
  } else {
    *y = first_lane(reduce_registers<V, Op>(reduced, [=](Index i, auto part) { return part.load(x + i); }));
  }
}

/// `width` registers side by side, down the rows of a matrix with `inner` columns; the last one covers `part`.
template <class V, template <class> class Op, int width, class Part>
[[gnu::flatten]] void reduce_columns(Index reduced, Index inner, const Real* x, Real* y, Part part) {
  V total[width];
  unroll<width>([&](auto i) { total[i] = V(Op<V>::kStart); });
  for (Index r = 0; r < reduced;) {
    V block[width];
    unroll<width>([&](auto i) { block[i] = V(Op<V>::kStart); });
    for (const Index stop = r + kBlock; r < reduced && r < stop; ++r) {
      const Real* row = x + r * inner;
      unroll<width - 1>([&](auto i) { block[i] = Op<V>::combine(block[i], V::load_unaligned(row + i * kLanes<V>)); });
      block[width - 1] = Op<V>::combine(block[width - 1], part.load(row + (width - 1) * kLanes<V>));
    }
    unroll<width>([&](auto i) { total[i] = Op<V>::combine(total[i], block[i]); });
  }
  unroll<width - 1>([&](auto i) { total[i].store_unaligned(y + i * kLanes<V>); });
  part.store(y + (width - 1) * kLanes<V>, total[width - 1]);
}

/// 1 < inner < lanes: L rows of `inner` numbers are `inner` whole registers, each of whose lanes belongs to the same
/// column in every group of L rows.
template <class V, template <class> class Op>
void reduce_narrow(Index reduced, Index inner, const Real* x, Real* y) {
  constexpr Index L = kLanes<V>;
  V total[V::size];
  for (Index i = 0; i < inner; ++i) total[i] = V(Op<V>::kStart);
  Index r = 0;
  while (r + L <= reduced) {
    V block[V::size];
    for (Index i = 0; i < inner; ++i) block[i] = V(Op<V>::kStart);
    for (const Index stop = r + kBlock * L; r + L <= reduced && r < stop; r += L) {
      for (Index i = 0; i < inner; ++i) {
        block[i] = Op<V>::combine(block[i], V::load_unaligned(x + r * inner + i * L));
      }
    }
    for (Index i = 0; i < inner; ++i) total[i] = Op<V>::combine(total[i], block[i]);
  }
  alignas(64) Real lanes[V::size * V::size];
  for (Index i = 0; i < inner; ++i) total[i].store_aligned(lanes + i * L);
  for (Index c = 0; c < inner; ++c) {
    Real result = Op<V>::kStart;
    for (Index i = 0; i < L; ++i) result = Op<V>::combine(result, lanes[i * inner + c]);
    for (Index i = r; i < reduced; ++i) result = Op<V>::combine(result, x[i * inner + c]);
    y[c] = result;
  }
}

template <class V, template <class> class Op>
void reduce(Index outer, Index reduced, Index inner, const Real* x, Real* y) noexcept {
  constexpr Index L = kLanes<V>;
  for (Index o = 0; o < outer; ++o, x += reduced * inner, y += inner) {
    if (inner == 1) {
      reduce_row<V, Op>(reduced, x, y);
    } else if (inner < L) {
      reduce_narrow<V, Op>(reduced, inner, x, y);
    } else {
      Index i = 0;
      for (; i + 4 * L <= inner; i += 4 * L) reduce_columns<V, Op, 4>(reduced, inner, x + i, y + i, Whole<V>{});
      for (; i + L <= inner; i += L) reduce_columns<V, Op, 1>(reduced, inner, x + i, y + i, Whole<V>{});
      if (i < inner) reduce_columns<V, Op, 1>(reduced, inner, x + i, y + i, Head<V>(inner - i));
    }
  }
}

template <class V>
Real dot(Index n, const Real* a, const Real* b) noexcept {
  return first_lane(
      reduce_registers<V, Sum>(n, [=](Index i, auto part) { return part.load(a + i) * part.load(b + i); }));
}

}  // namespace

namespace RILL_SET {

extern constinit const ReductionKernels reduction_kernels = {
    .sum = reduce<Registers, Sum>,
    .mean = mean<Registers>,
    .max = reduce<Registers, Max>,
    .dot = dot<Registers>,
};

}

}  // namespace rill::simd
