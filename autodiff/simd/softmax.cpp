// Softmax, log-softmax and log-sum-exp: long rows one by one, along registers; short rows one per lane.
#include "autodiff/simd/softmax.hpp"

#include "autodiff/simd/reduction-inl.hpp"
#include "autodiff/simd/set-inl.hpp"
#include "autodiff/simd/transpose-inl.hpp"

namespace rill::simd {
namespace {

/// A maximum that may miss a NaN, in one instruction instead of four: the sum of exponentials will have the NaN.
template <class V>
struct MaxOfNumbers : Max<V> {
  static V combine(V a, V b) { return xsimd::max(a, b); }
};

// ---------------------------------------------------------------------------------------------------------------------
// Short rows. Reducing across the lanes of a register takes log2 L dependent steps twice per row, some 20 ns whatever
// its length. So L rows are transposed into a small buffer, [columns, L], where reductions are over whole registers.

/// Rows of up to this many registers count as short.
constexpr Index kShortRegisters = 4;

/// Calls body(first row, count, lanes) for L rows at a time; the last `count` may be smaller.
template <class V, class Body>
void for_short_rows(Index rows, Index columns, const Real* x, const Body& body) {
  constexpr Index L = kLanes<V>;
  alignas(64) Real lanes[kShortRegisters * L * L] = {};
  for (Index r = 0; r < rows; r += L) {
    const Index count = rows - r < L ? rows - r : L;
    transpose_matrix<V>(count, columns, x + r * columns, columns, lanes, L);
    body(r, count, lanes);
  }
}

template <class V, template <class> class Op>
V max_of_lanes(Index columns, const Real* lanes) {
  V m(Op<V>::kStart);
  for (Index c = 0; c < columns; ++c) m = Op<V>::combine(m, V::load_aligned(lanes + c * kLanes<V>));
  return m;
}

/// Replaces every number x by f(x).
template <class V, class F>
void for_lanes(Index columns, Real* lanes, const F& f) {
  for (Index c = 0; c < columns; ++c) f(V::load_aligned(lanes + c * kLanes<V>)).store_aligned(lanes + c * kLanes<V>);
}

/// sum_c e^(x[c] - m)
template <class V>
V sum_exp_of_lanes(Index columns, const Real* lanes, V m) {
  V sum(0);
  for (Index c = 0; c < columns; ++c) sum = sum + math::exp(V(V::load_aligned(lanes + c * kLanes<V>) - m));
  return sum;
}

template <class V>
void short_softmax(Index rows, Index columns, const Real* x, Real* y) {
  for_short_rows<V>(rows, columns, x, [=](Index r, Index count, Real* lanes) {
    const V m = max_of_lanes<V, MaxOfNumbers>(columns, lanes);
    V sum(0);
    for_lanes<V>(columns, lanes, [&](V v) {
      const V e = math::exp(V(v - m));
      sum = sum + e;
      return e;
    });
    const V scale = divide(V(1), sum);
    for_lanes<V>(columns, lanes, [=](V e) { return V(e * scale); });
    transpose_matrix<V>(columns, count, lanes, kLanes<V>, y + r * columns, columns);
  });
}

template <class V>
void short_log_softmax(Index rows, Index columns, const Real* x, Real* y) {
  for_short_rows<V>(rows, columns, x, [=](Index r, Index count, Real* lanes) {
    const V m = max_of_lanes<V, MaxOfNumbers>(columns, lanes);
    const V log_s = math::log(sum_exp_of_lanes(columns, lanes, m));
    for_lanes<V>(columns, lanes, [=](V v) { return V(v - m - log_s); });
    transpose_matrix<V>(columns, count, lanes, kLanes<V>, y + r * columns, columns);
  });
}

/// ln sum_c e^x[c] for the maximum m and s = sum_c e^(x[c] - m). An infinite m is the result: m - m would be NaN.
template <class V>
V log_of_sum(V m, V s) {
  return xsimd::select(xsimd::abs(m) == V(kInfinity), m, V(m + math::log(s)));
}

template <class V>
void short_logsumexp(Index rows, Index columns, const Real* x, Real* y) {
  for_short_rows<V>(rows, columns, x, [=](Index r, Index count, Real* lanes) {
    const V m = max_of_lanes<V, Max>(columns, lanes);
    const V result = log_of_sum(m, sum_exp_of_lanes(columns, lanes, m));
    count == kLanes<V> ? Whole<V>::store(y + r, result) : Head<V>(count).store(y + r, result);
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Long rows. A row's maximum and sum stay in registers, the same in every lane.

template <class V, template <class> class Op>
V row_max(Index columns, const Real* x) {
  return reduce_registers<V, Op>(columns, [&](Index c, auto part) { return part.load(x + c); });
}

/// sum_c e^(x[c] - m)
template <class V>
V row_sum_exp(Index columns, const Real* x, V m) {
  return reduce_registers<V, Sum>(columns, [&](Index c, auto part) { return math::exp(V(part.load(x + c) - m)); });
}

template <class V>
[[gnu::flatten]] void softmax(Index rows, Index columns, const Real* x, Real* y) noexcept {
  if (columns <= kShortRegisters * kLanes<V>) return short_softmax<V>(rows, columns, x, y);
  for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
    const V m = row_max<V, MaxOfNumbers>(columns, x);
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
[[gnu::flatten]] void log_softmax(Index rows, Index columns, const Real* x, Real* y) noexcept {
  if (columns <= kShortRegisters * kLanes<V>) return short_log_softmax<V>(rows, columns, x, y);
  for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
    const V m = row_max<V, MaxOfNumbers>(columns, x);
    const V log_s = math::log(row_sum_exp(columns, x, m));
    for_registers<V>(columns, [&](Index c, auto part) { part.store(y + c, part.load(x + c) - m - log_s); });
  }
}

template <class V>
[[gnu::flatten]] void logsumexp(Index rows, Index columns, const Real* x, Real* y) noexcept {
  if (columns <= kShortRegisters * kLanes<V>) return short_logsumexp<V>(rows, columns, x, y);
  for (Index r = 0; r < rows; ++r, x += columns) {
    const V m = row_max<V, Max>(columns, x);
    y[r] = first_lane(log_of_sum(m, row_sum_exp(columns, x, m)));
  }
}

}  // namespace

namespace RILL_SET {

extern constinit const SoftmaxKernels softmax_kernels = {
    .softmax = softmax<Registers>,
    .log_softmax = log_softmax<Registers>,
    .logsumexp = logsumexp<Registers>,
};

}

}  // namespace rill::simd
