// Means along one axis. A large sum rounds coarsely and may overflow, so numbers are summed, block by block, as
// differences from an estimate of the mean. Results that are not finite are left to the reference, in twice the
// precision.
#pragma once

#include "autodiff/simd/reduction-inl.hpp"
#include "autodiff/simd/reduction.hpp"
#include "autodiff/simd/strip-inl.hpp"

namespace rill::simd {
namespace {

/// How many of `count` numbers make the first estimate of the mean: all of a single block, or a quarter of the first of
/// several, so that at most three quarters of a sum cancel, whatever the numbers.
inline Index first_of(Index count, Index block) { return count <= block ? count : block / 4; }

/// Down `rows` rows, `step` numbers apart. share_first = 1 / first_of(rows, kBlock), share = 1 / rows.
template <class V, int width, class Part>
[[gnu::flatten]] void strip_means(Index rows, Index step, const Real* x, Part part, V share_first, V share,
                                  RunningMean<V> (&means)[width]) {
  using S = Strip<V, width>;
  const Index first = first_of(rows, kBlock);
  S start = S::zeros();
  for (Index r = 0; r < first; ++r) start.add(S::load(x + r * step, part));
  unroll<width>([&](auto i) { means[i].mean = start.at[i] * share_first; });
  for (Index r = 0; r < rows;) {
    const V before(static_cast<Real>(r));
    S center, sum = S::zeros();
    unroll<width>([&](auto i) { center.at[i] = means[i].mean; });
    for (const Index stop = r + kBlock; r < rows && r < stop; ++r) {
      const S row = S::load(x + r * step, part);
      unroll<width>([&](auto i) { sum.at[i] = sum.at[i] + (row.at[i] - center.at[i]); });
    }
    const V share_so_far = r == rows ? share : V(1 / static_cast<Real>(r));
    unroll<width>([&](auto i) { means[i].move(mul_add(before, means[i].rest, sum.at[i]), r, share_so_far); });
  }
}

/// The most contiguous numbers in a block.
template <class V>
constexpr Index kRowBlock = kBlock * 4 * kLanes<V>;

template <class V>
V sum_of_differences(Index n, const Real* x, V center) {
  return combine_registers<V, Sum>(n, [=](Index i, auto part) { return part.load(x + i) - center; });
}

/// Lane r: the sum of the lanes of rows[r], which are overwritten. Adds the halves of each register and merges pairs of
/// registers until one is left.
template <class V>
V sums_of_lanes(V (&rows)[V::size]) {
  for (std::size_t half = V::size / 2; half > 0; half /= 2) {
    for (std::size_t r = 0; r < half; ++r) {
      interleave(rows[r], rows[r + half]);
      rows[r] = rows[r] + rows[r + half];
    }
  }
  return rows[0];
}

/// L rows of n contiguous numbers, at most a block. share = 1 / n.
template <class V>
[[gnu::flatten]] bool means_of_rows(Index n, V share, const Real* x, Real* y) {
  alignas(64) Real near[V::size];
  V sums[V::size];
  for (Index r = 0; r < kLanes<V>; ++r) sums[r] = sum_of_differences(n, x + r * n, V(0));
  const V means = sums_of_lanes(sums) * share;
  means.store_aligned(near);
  for (Index r = 0; r < kLanes<V>; ++r) sums[r] = sum_of_differences(n, x + r * n, V(near[r]));
  const V result = mul_add(sums_of_lanes(sums), share, means);
  result.store_unaligned(y);
  return is_finite(result);
}

/// One row of any length.
template <class V>
bool mean_of_row(Index n, const Real* x, Real* y) {
  const auto sum = [](Index count, const Real* from, Real center) {
    return first_lane(fold_lanes(sum_of_differences(count, from, V(center)), [](V a, V b) { return V(a + b); }));
  };
  const Index first = first_of(n, kRowBlock<V>);
  Real center = sum(first, x, 0) / static_cast<Real>(first);
  Wide mean = 0;
  for (Index i = 0; i < n;) {
    const Index count = n - i < kRowBlock<V> ? n - i : kRowBlock<V>;
    const Wide from_mean = static_cast<Wide>(center) - mean;
    const Real from_center = sum(count, x + i, center);
    i += count;
    mean += (from_mean * static_cast<Wide>(count) + static_cast<Wide>(from_center)) / static_cast<Wide>(i);
    center = static_cast<Real>(mean);
  }
  *y = center;
  return is_finite(V(center));
}

/// inner = 1
template <class V>
bool mean_rows(Index outer, Index n, const Real* x, Real* y) {
  const V share(1 / static_cast<Real>(n));
  bool finite = true;
  Index o = 0;
  if (n <= kRowBlock<V>) {
    for (; o + kLanes<V> <= outer; o += kLanes<V>) finite = means_of_rows(n, share, x + o * n, y + o) && finite;
  }
  for (; o < outer; ++o) finite = mean_of_row<V>(n, x + o * n, y + o) && finite;
  return finite;
}

/// 1 < inner < lanes: L rows of `inner` numbers are `inner` whole registers, each of whose lanes belongs to the same
/// column in every group of L rows.
template <class V>
bool mean_narrow(Index reduced, Index inner, const Real* x, Real* y) {
  constexpr Index L = kLanes<V>;
  const Index groups = reduced / L, step = inner * L;
  const V share_first(1 / static_cast<Real>(first_of(groups, kBlock))), share(1 / static_cast<Real>(groups));
  alignas(64) Real mean[V::size * V::size], rest[V::size * V::size];
  for_strips<V, 4>(step, [&](Index c, auto width, auto part) {
    RunningMean<V> means[width];
    strip_means<V>(groups, step, x + c, part, share_first, share, means);
    unroll<width>([&](auto i) {
      means[i].mean.store_aligned(mean + c + i * L);
      means[i].rest.store_aligned(rest + c + i * L);
    });
  });
  bool finite = true;
  for (Index c = 0; c < inner; ++c) {
    Wide total = 0;
    for (Index i = c; i < step; i += inner) {
      total += static_cast<Wide>(mean[i]) + static_cast<Wide>(rest[i]);
    }
    total *= static_cast<Wide>(groups);
    for (Index i = groups * step + c; i < reduced * inner; i += inner) total += static_cast<Wide>(x[i]);
    y[c] = static_cast<Real>(total / static_cast<Wide>(reduced));
    finite = finite && y[c] - y[c] == 0;
  }
  return finite;
}

template <class V>
bool mean_columns(Index reduced, Index inner, V share_first, V share, const Real* x, Real* y) {
  bool finite = true;
  for_strips<V, 4>(inner, [=, &finite](Index c, auto width, auto part) {
    RunningMean<V> means[width];
    strip_means<V>(reduced, inner, x + c, part, share_first, share, means);
    Strip<V, width> strip;
    unroll<width>([&](auto i) {
      strip.at[i] = means[i].mean;
      finite = is_finite(strip.at[i]) && finite;
    });
    strip.store(y + c, part);
  });
  return finite;
}

template <class V>
void mean(Index outer, Index reduced, Index inner, const Real* x, Real* y) noexcept {
  constexpr Index L = kLanes<V>;
  if (reduced == 0 || (reduced < L && inner < L)) return scalar::reduction_kernels.mean(outer, reduced, inner, x, y);
  if (inner == 1) {
    if (!mean_rows<V>(outer, reduced, x, y)) [[unlikely]]
      scalar::reduction_kernels.mean(outer, reduced, inner, x, y);
    return;
  }
  const V share(1 / static_cast<Real>(reduced)), share_first(1 / static_cast<Real>(first_of(reduced, kBlock)));
  for (Index o = 0; o < outer; ++o, x += reduced * inner, y += inner) {
    const bool finite =
        inner < L ? mean_narrow<V>(reduced, inner, x, y) : mean_columns<V>(reduced, inner, share_first, share, x, y);
    if (!finite) [[unlikely]]
      scalar::reduction_kernels.mean(1, reduced, inner, x, y);
  }
}

}  // namespace
}  // namespace rill::simd
