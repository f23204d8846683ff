// The loops over columns of an assignment problem, in registers of doubles.
#include "autodiff/simd/assignment.hpp"

#include "autodiff/simd/batch-inl.hpp"
#include "autodiff/simd/set-inl.hpp"

namespace rill::simd {
namespace {

/// A batch of as many floats as V has doubles.
template <class V>
V load_floats(const float* x) {
#if defined(__AVX512F__)
  return V(_mm512_cvtps_pd(_mm256_loadu_ps(x)));
#elif defined(__AVX2__)
  return V(_mm256_cvtps_pd(_mm_loadu_ps(x)));
#elif defined(__SSE2__)
  return V(_mm_setr_pd(x[0], x[1]));
#else
  return V(vcvt_f64_f32(vld1_f32(x)));
#endif
}

// The forms of a CostRow. Each gives kWidth registers of costs, starting at column j.
constexpr int kWidth = 4;

template <class V>
struct FloatCosts {
  const float* costs;
  void load(Index j, V* c) const {
    unroll<kWidth>([&](auto k) { c[k] = load_floats<V>(costs + j + k * kLanes<V>); });
  }
};

template <class V>
struct DoubleCosts {
  const double* costs;
  void load(Index j, V* c) const {
    unroll<kWidth>([&](auto k) { c[k] = V::load_unaligned(costs + j + k * kLanes<V>); });
  }
};

template <class V, bool distance>
struct PointCosts {
  const double *point, *points;
  Index dimension, stride;
  void load(Index j, V* c) const {
    unroll<kWidth>([&](auto k) { c[k] = V(0.); });
    const double* b = points + j;
    for (Index d = 0; d < dimension; ++d, b += stride) {
      const V a(point[d]);
      unroll<kWidth>([&](auto k) {
        const V y = V::load_unaligned(b + k * kLanes<V>);
        c[k] = distance ? mul_add(V(a - y), V(a - y), c[k]) : neg_mul_add(a, y, c[k]);
      });
    }
    if (distance) unroll<kWidth>([&](auto k) { c[k] = xsimd::sqrt(c[k]); });
  }
};

/// Calls loop(costs) with the form of the row.
template <class V, class Loop>
auto with_costs(const CostRow& row, const Loop& loop) {
  if (row.floats) return loop(FloatCosts<V>{row.floats});
  if (row.doubles) return loop(DoubleCosts<V>{row.doubles});
  if (row.distance) return loop(PointCosts<V, true>{row.point, row.points, row.dimension, row.stride});
  return loop(PointCosts<V, false>{row.point, row.points, row.dimension, row.stride});
}

/// In each lane: the least number so far, its first index and, if `with_next`, the least of the others.
template <class V, bool with_next>
struct LeastOfLane {
  V value = V(__builtin_huge_val()), at = V(0.), next = V(__builtin_huge_val());

  /// Adds numbers with larger indices than those before.
  void see(V x, V place) {
    const auto less = x < value;
    if constexpr (with_next) next = xsimd::min(next, xsimd::max(value, x));
    value = xsimd::select(less, x, value);
    at = xsimd::select(less, place, at);
  }

  void merge(const LeastOfLane& other) {
    const auto first = value < other.value || (value == other.value && at < other.at);
    if constexpr (with_next) next = xsimd::min(xsimd::max(value, other.value), xsimd::min(next, other.next));
    value = xsimd::select(first, value, other.value);
    at = xsimd::select(first, at, other.at);
  }
};

/// The least over all lanes of kWidth registers.
template <class V, bool with_next>
Least least_of(LeastOfLane<V, with_next> (&part)[kWidth]) {
  alignas(64) static constexpr double kLane[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  const V lane = V::load_aligned(kLane);
  unroll<kWidth>([&](auto k) { part[k].at += lane + V(static_cast<double>(k * kLanes<V>)); });
  part[0].merge(part[1]);
  part[2].merge(part[3]);
  part[0].merge(part[2]);
  auto low = part[0];
  for (Index width = kLanes<V>; width > 1; width /= 2) {
    auto high = low;  // soon the upper half of the lanes, each twice, and `low` the lower half
    interleave(low.value, high.value);
    interleave(low.at, high.at);
    if constexpr (with_next) interleave(low.next, high.next);
    low.merge(high);
  }
  return {first_lane(low.value), static_cast<Index>(first_lane(low.at)), first_lane(low.next)};
}

template <class Arch>
[[gnu::flatten]] void lower_prices(const CostRow& row, double discount, Index n, double* price) noexcept {
  using V = xsimd::batch<double, Arch>;
  with_costs<V>(row, [=](auto costs) {
    for (Index j = 0; j < n; j += kWidth * kLanes<V>) {
      V c[kWidth];
      costs.load(j, c);
      unroll<kWidth>([&](auto k) {
        double* p = price + j + k * kLanes<V>;
        xsimd::min(V::load_unaligned(p), V(c[k] - V(discount))).store_unaligned(p);
      });
    }
  });
}

template <class Arch>
[[gnu::flatten]] Least two_least(const CostRow& row, const double* price, Index n) noexcept {
  using V = xsimd::batch<double, Arch>;
  return with_costs<V>(row, [=](auto costs) {
    LeastOfLane<V, true> least[kWidth];
    for (Index j = 0; j < n; j += kWidth * kLanes<V>) {
      V c[kWidth];
      costs.load(j, c);
      const V place(static_cast<double>(j));
      unroll<kWidth>([&](auto k) { least[k].see(c[k] - V::load_unaligned(price + j + k * kLanes<V>), place); });
    }
    return least_of(least);
  });
}

template <class Arch>
[[gnu::flatten]] Least relax(const CostRow& row, const double* price, double base, double from_row, Index n,
                             double* distance, double* from) noexcept {
  using V = xsimd::batch<double, Arch>;
  return with_costs<V>(row, [=](auto costs) {
    LeastOfLane<V, false> least[kWidth];
    for (Index j = 0; j < n; j += kWidth * kLanes<V>) {
      V c[kWidth];
      costs.load(j, c);
      const V place(static_cast<double>(j));
      unroll<kWidth>([&](auto k) {
        const Index i = j + k * kLanes<V>;
        const V through = c[k] - V::load_unaligned(price + i) + V(base), known = V::load_unaligned(distance + i);
        const auto shorter = through < known;
        const V d = xsimd::select(shorter, through, known);
        d.store_unaligned(distance + i);
        xsimd::select(shorter, V(from_row), V::load_unaligned(from + i)).store_unaligned(from + i);
        least[k].see(d, place);
      });
    }
    return least_of(least);
  });
}

}  // namespace

namespace RILL_SET {

extern constinit const AssignmentKernels assignment_kernels = {
    .lower_prices = lower_prices<RILL_SET::Arch>,
    .two_least = two_least<RILL_SET::Arch>,
    .relax = relax<RILL_SET::Arch>,
};

}

}  // namespace rill::simd
