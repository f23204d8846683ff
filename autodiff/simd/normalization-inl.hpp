// Normalization. Where a group has many places, as images do, lanes are channels: the numbers of a column go down one
// lane, and nothing is ever summed across lanes. Where a group is one row, registers go along it.
#pragma once

#include "autodiff/simd/reduction-inl.hpp"

namespace rill::simd {
namespace {

/// Calls body(c, width, part) for strips of `width` registers side by side (a Constant), the first one at column c, of
/// which `part` says what lanes of the last one are meant.
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

/// Registers side by side, of one row.
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

// ---------------------------------------------------------------------------------------------------------------------
// Down the columns

/// With d = x - the first row's number: mean = first + sum d / rows, squares = sum d^2 - (sum d)^2 / rows, in one visit
/// of x. The difference cancels little unless the first number lies far from the rest; and as it is one of those whose
/// squares are summed, never more than a factor of `rows`.
template <class V>
[[gnu::flatten]] void column_moments(Index rows, Index columns, const Real* x, Real* mean, Real* squares) noexcept {
  for_strips<V, 4>(columns, [=](Index c, auto width, auto part) {
    using S = Strip<V, width>;
    const S first = S::load(x + c, part);
    S sum = S::zeros(), product = S::zeros();
    for (Index r = 0; r < rows;) {
      S block_sum = S::zeros(), block_product = S::zeros();
      for (const Index stop = r + kBlock; r < rows && r < stop; ++r) {
        S row = S::load(x + r * columns + c, part);
        unroll<width>([&](auto i) {
          const V d = row.at[i] - first.at[i];
          block_sum.at[i] = block_sum.at[i] + d;
          block_product.at[i] = mul_add(d, d, block_product.at[i]);
        });
      }
      sum.add(block_sum);
      product.add(block_product);
    }
    const V count(static_cast<Real>(rows));
    unroll<width>([&](auto i) {
      const V offset = divide(sum.at[i], count);
      product.at[i] = xsimd::max(V(neg_mul_add(offset, sum.at[i], product.at[i])), V(0));
      sum.at[i] = first.at[i] + offset;
    });
    sum.store(mean + c, part);
    product.store(squares + c, part);
  });
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
                                                 const Real* mean, const Real* scale, const Real* slope,
                                                 const Real* shift, Real* gx) noexcept {
  for_strips<V, 4>(columns, [=](Index c, auto width, auto part) {
    using S = Strip<V, width>;
    const S center = S::load(mean + c, part), a = S::load(scale + c, part), b = S::load(slope + c, part),
            d = S::load(shift + c, part);
    for (Index r = 0; r < rows; ++r) {
      S row = S::load(g + r * columns + c, part);
      const S x_row = S::load(x + r * columns + c, part);
      unroll<width>([&](auto i) {
        const V tilted = neg_mul_add(b.at[i], V(x_row.at[i] - center.at[i]), V(-d.at[i]));
        row.at[i] = mul_add(a.at[i], row.at[i], tilted);
      });
      row.store(gx + r * columns + c, part);
    }
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Along the rows

/// term(c, part) summed over a row.
template <class V, class Term>
V row_sum(Index columns, const Term& term) {
  return reduce_registers<V, Sum>(columns, term);
}

template <class V>
[[gnu::flatten]] void normalize_rows(Index rows, Index columns, const Real* x, const Real* scale, const Real* shift,
                                     Real epsilon, Real* y, Real* moments) noexcept {
  const V share(1 / static_cast<Real>(columns));
  for (Index r = 0; r < rows; ++r, x += columns, y += columns, moments += 2) {
    const V mean = share * row_sum<V>(columns, [=](Index c, auto part) { return part.load(x + c); });
    const V variance = share * row_sum<V>(columns, [=](Index c, auto part) {
                         const V d = part.load(x + c) - mean;
                         return V(d * d);
                       });
    const V rstd = divide(V(1), square_root(V(variance + V(epsilon))));
    moments[0] = first_lane(mean);
    moments[1] = first_lane(rstd);
    for_registers<V>(columns, [=](Index c, auto part) {
      const V xhat = (part.load(x + c) - mean) * rstd;
      part.store(y + c, mul_add(xhat, part.load(scale + c), part.load(shift + c)));
    });
  }
}

template <class V>
[[gnu::flatten]] void normalize_rows_gradient(Index rows, Index columns, const Real* g, const Real* x,
                                              const Real* moments, const Real* scale, Real* gx, Real* gscale,
                                              Real* gshift) noexcept {
  const V share(1 / static_cast<Real>(columns));
  for (Index r = 0; r < rows; ++r, g += columns, x += columns, gx += columns, moments += 2) {
    const V mean(moments[0]), rstd(moments[1]);
    V product(0);
    const V sum = row_sum<V>(columns, [&](Index c, auto part) {
      const V g_c = part.load(g + c), xhat = (part.load(x + c) - mean) * rstd, h = g_c * part.load(scale + c);
      part.store(gshift + c, V(part.load(gshift + c) + g_c));
      part.store(gscale + c, mul_add(g_c, xhat, part.load(gscale + c)));
      product = mul_add(h, xhat, product);  // 0 in the lanes that are not meant, where g is
      return h;
    });
    const V h_mean = share * sum, slope = share * fold_lanes(product, [](V a, V b) { return V(a + b); });
    for_registers<V>(columns, [=](Index c, auto part) {
      const V xhat = (part.load(x + c) - mean) * rstd, h = part.load(g + c) * part.load(scale + c);
      part.store(gx + c, V(rstd * neg_mul_add(xhat, slope, V(h - h_mean))));
    });
  }
}

}  // namespace
}  // namespace rill::simd
