// Normalization. Where a group has many positions, as in images, lanes are channels: each column stays in one lane, and
// nothing is summed across lanes. Where a group is one row, registers lie along it.
//
// A mean is subtracted before squaring, so a mean far from 0 costs no digits; and the mean is kept to more digits than
// a Real has, so its rounding costs none either. Squares that overflow are left to the reference, in twice the
// precision.
#include "autodiff/simd/normalization.hpp"

#include "autodiff/simd/reduction-inl.hpp"
#include "autodiff/simd/set-inl.hpp"
#include "autodiff/simd/strip-inl.hpp"

namespace rill::simd {
namespace {

// ---------------------------------------------------------------------------------------------------------------------
// Down the columns

/// The mean of some numbers, and the sum of their squared distances from it.
template <class V>
struct Moments : RunningMean<V> {
  V squares = V(0);

  /// Adds `more` numbers, given the sums of d = x - mean and d^2:   with n numbers before and N after,
  /// T = sum d = n rest + sum,   mean' = mean + T / N,   squares' = squares + n rest^2 + sum d^2 - T^2 / N.
  /// Callers limit the cancellation: if `mean` is the mean of one in k of the numbers, at least 1 / k remains.
  void add(Index before, Index more, V sum, V sum_of_squares) {
    const V share(1 / static_cast<Real>(before + more));
    const V rest_before = this->rest, offset_before = V(static_cast<Real>(before)) * rest_before;
    const V total = offset_before + sum, offset = this->move(total, before + more, share);
    squares = neg_mul_add(offset, total, V(mul_add(offset_before, rest_before, V(squares + sum_of_squares))));
    squares = xsimd::max(V(0), squares);  // keeps a NaN
  }
};

/// The rows that give the first estimate of the mean, for the first block.
constexpr Index kFirstRows = kBlock / 4;

/// In one pass over x, block by block. Each block is taken relative to the mean of those before; the first block, to
/// that of its first rows.
template <class V>
[[gnu::flatten]] void column_moments(Index rows, Index columns, const Real* x, Real* mean, Real* rest,
                                     Real* deviation) noexcept {
  bool finite = true;
  for_strips<V, 4>(columns, [=, &finite](Index c, auto width, auto part) {
    using S = Strip<V, width>;
    const Index first = rows < kFirstRows ? rows : kFirstRows;
    S start = S::zeros();
    for (Index r = 0; r < first; ++r) start.add(S::load(x + r * columns + c, part));
    Moments<V> moments[width];
    unroll<width>([&](auto i) { moments[i].mean = start.at[i] * V(1 / static_cast<Real>(first)); });
    for (Index r = 0; r < rows;) {
      S center, sum = S::zeros(), squares = S::zeros();
      unroll<width>([&](auto i) { center.at[i] = moments[i].mean; });
      const Index begin = r;
      for (const Index stop = r + kBlock; r < rows && r < stop; ++r) {
        const S row = S::load(x + r * columns + c, part);
        unroll<width>([&](auto i) {
          const V d = row.at[i] - center.at[i];
          sum.at[i] = sum.at[i] + d;
          squares.at[i] = mul_add(d, d, squares.at[i]);
        });
      }
      unroll<width>([&](auto i) { moments[i].add(begin, r - begin, sum.at[i], squares.at[i]); });
    }
    S means, rests, deviations;
    unroll<width>([&](auto i) {
      means.at[i] = moments[i].mean;
      rests.at[i] = moments[i].rest;
      deviations.at[i] = square_root(divide(moments[i].squares, V(static_cast<Real>(rows))));
      finite = is_finite(deviations.at[i]) && finite;
    });
    means.store(mean + c, part);
    rests.store(rest + c, part);
    deviations.store(deviation + c, part);
  });
  if (!finite) [[unlikely]]
    scalar::normalization_kernels.column_moments(rows, columns, x, mean, rest, deviation);
}

template <class V>
[[gnu::flatten]] void normalize_columns(Index rows, Index columns, const Real* x, const Real* mean, const Real* scale,
                                        const Real* shift, Real* y) noexcept {
  for_strips<V, 4>(columns, [=](Index c, auto width, auto part) {
    using S = Strip<V, width>;
    const S center = S::load(mean + c, part), a = S::load(scale + c, part), b = S::load(shift + c, part);
    for (Index r = 0; r < rows; ++r) {
      S row = S::load(x + r * columns + c, part);
      unroll<width>([&](auto i) { row.at[i] = mul_add(V(row.at[i] - center.at[i]), a.at[i], b.at[i]); });
      row.store(y + r * columns + c, part);
    }
  });
}

template <class V>
[[gnu::flatten]] void column_products(Index rows, Index columns, const Real* g, const Real* x, const Real* mean,
                                      Real* sum, Real* product) noexcept {
  for_strips<V, 4>(columns, [=](Index c, auto width, auto part) {
    using S = Strip<V, width>;
    const S center = S::load(mean + c, part);
    S total = S::load(sum + c, part), total_product = S::load(product + c, part);
    for (Index r = 0; r < rows;) {
      S block = S::zeros(), block_product = S::zeros();
      for (const Index stop = r + kBlock; r < rows && r < stop; ++r) {
        const S g_row = S::load(g + r * columns + c, part), x_row = S::load(x + r * columns + c, part);
        unroll<width>([&](auto i) {
          block.at[i] = block.at[i] + g_row.at[i];
          block_product.at[i] = mul_add(g_row.at[i], V(x_row.at[i] - center.at[i]), block_product.at[i]);
        });
      }
      total.add(block);
      total_product.add(block_product);
    }
    total.store(sum + c, part);
    total_product.store(product + c, part);
  });
}

template <class V>
[[gnu::flatten]] void normalize_columns_gradient(Index rows, Index columns, const Real* g, const Real* x,
                                                 const Real* mean, const Real* rstd, const Real* scale,
                                                 const Real* slope, const Real* shift, Real* gx) noexcept {
  for_strips<V, 4>(columns, [=](Index c, auto width, auto part) {
    using S = Strip<V, width>;
    const S center = S::load(mean + c, part), f = S::load(rstd + c, part), a = S::load(scale + c, part),
            b = S::load(slope + c, part), d = S::load(shift + c, part);
    for (Index r = 0; r < rows; ++r) {
      S row = S::load(g + r * columns + c, part);
      const S x_row = S::load(x + r * columns + c, part);
      unroll<width>([&](auto i) {
        const V tilted = neg_mul_add(b.at[i], V(x_row.at[i] - center.at[i]), V(-d.at[i]));
        row.at[i] = f.at[i] * mul_add(a.at[i], row.at[i], tilted);
      });
      row.store(gx + r * columns + c, part);
    }
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Along the rows

/// Two sums over a row, with the result in every lane: accumulate(c, part, sums) adds the terms of a register.
template <class V>
struct Sums {
  V a = V(0), b = V(0);
  void add(const Sums& other) {
    a = a + other.a;
    b = b + other.b;
  }
};
template <class V, class Accumulate>
Sums<V> row_sums(Index columns, const Accumulate& accumulate) {
  constexpr Index L = kLanes<V>;
  Sums<V> total;
  Index c = 0;
  while (c + 2 * L <= columns) {
    Sums<V> even, odd;
    for (const Index stop = c + kBlock * 2 * L; c + 2 * L <= columns && c < stop; c += 2 * L) {
      accumulate(c, Whole<V>{}, even);
      accumulate(c + L, Whole<V>{}, odd);
    }
    even.add(odd);
    total.add(even);
  }
  if (c + L <= columns) accumulate(c, Whole<V>{}, total), c += L;
  if (c < columns) accumulate(c, Head<V>(columns - c), total);
  const auto add = [](V a, V b) { return V(a + b); };
  return {fold_lanes(total.a, add), fold_lanes(total.b, add)};
}

template <class V>
[[gnu::flatten]] void normalize_rows(Index rows, Index columns, const Real* x, const Real* scale, const Real* shift,
                                     Real epsilon, Real* y, Real* moments) noexcept {
  const V share(1 / static_cast<Real>(columns));
  for (Index r = 0; r < rows; ++r, x += columns, y += columns, moments += 3) {
    Moments<V> row;
    row.mean = share * reduce_registers<V, Sum>(columns, [=](Index c, auto part) { return part.load(x + c); });
    const Sums<V> sums = row_sums<V>(columns, [=](Index c, auto part, Sums<V>& into) {
      const V d = part.keep(part.load(x + c) - row.mean, V(0));
      into.a = into.a + d;
      into.b = mul_add(d, d, into.b);
    });
    row.add(0, columns, sums.a, sums.b);
    const V variance = row.squares * share;
    if (!(first_lane(variance) < kInfinity)) [[unlikely]] {
      scalar::normalization_kernels.normalize_rows(1, columns, x, scale, shift, epsilon, y, moments);
      continue;
    }
    const V rstd = divide(V(1), square_root(V(variance + V(epsilon)))), mean = row.mean, low = -row.rest * rstd;
    moments[0] = first_lane(mean);
    moments[1] = first_lane(rstd);
    moments[2] = first_lane(low);
    for_registers<V>(columns, [=](Index c, auto part) {
      const V xhat = mul_add(V(part.load(x + c) - mean), rstd, low);
      part.store(y + c, mul_add(xhat, part.load(scale + c), part.load(shift + c)));
    });
  }
}

template <class V>
[[gnu::flatten]] void normalize_rows_gradient(Index rows, Index columns, const Real* g, const Real* x,
                                              const Real* moments, const Real* scale, Real* gx, Real* gscale,
                                              Real* gshift) noexcept {
  constexpr Real kLeast = math::kSmallestNormal * Real(1 << 26);  // x - mean might overflow below
  const V count(static_cast<Real>(columns)), share(1 / static_cast<Real>(columns));
  for (Index r = 0; r < rows; ++r, g += columns, x += columns, gx += columns, moments += 3) {
    if (moments[1] < kLeast) [[unlikely]] {
      scalar::normalization_kernels.normalize_rows_gradient(1, columns, g, x, moments, scale, gx, gscale, gshift);
      continue;
    }
    const V mean(moments[0]), rstd(moments[1]), low(moments[2]);
    const Sums<V> sums = row_sums<V>(columns, [=](Index c, auto part, Sums<V>& into) {
      // h is 0 in unused lanes, because g is
      const V g_c = part.load(g + c), xhat = mul_add(V(part.load(x + c) - mean), rstd, low);
      const V h = g_c * part.load(scale + c);
      part.store(gshift + c, V(part.load(gshift + c) + g_c));
      part.store(gscale + c, mul_add(g_c, xhat, part.load(gscale + c)));
      into.a = into.a + h;
      into.b = mul_add(h, xhat, into.b);
    });
    const V h_mean = divide_by(sums.a, count, share), slope = sums.b * share;
    for_registers<V>(columns, [=](Index c, auto part) {
      const V xhat = mul_add(V(part.load(x + c) - mean), rstd, low), h = part.load(g + c) * part.load(scale + c);
      part.store(gx + c, V(rstd * neg_mul_add(xhat, slope, V(h - h_mean))));
    });
  }
}

}  // namespace

namespace RILL_SET {

extern constinit const NormalizationKernels normalization_kernels = {
    .column_moments = column_moments<Registers>,
    .normalize_columns = normalize_columns<Registers>,
    .column_products = column_products<Registers>,
    .normalize_columns_gradient = normalize_columns_gradient<Registers>,
    .normalize_rows = normalize_rows<Registers>,
    .normalize_rows_gradient = normalize_rows_gradient<Registers>,
};

}

}  // namespace rill::simd
