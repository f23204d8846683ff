// Convolutions, attention, normalization and pooling in plain C++, one number at a time.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "autodiff/simd/scalar.hpp"

namespace rill::simd::scalar {

// ---------------------------------------------------------------------------------------------------------------------
// Convolutions

// Calls visit(x, row of w, row of y, o) for every product of a convolution; x is a place in its array.
template <class Visit>
static void for_products(const Convolution& g, const Visit& visit) {
  Index y = 0;
  for (Index n = 0; n < g.images; ++n) {
    for (Index i = 0; i < g.rows; ++i) {
      for (Index j = 0; j < g.columns; ++j, ++y) {
        const Index place = n * g.x_step.image + i * g.x_step.row + j * g.x_step.place;
        Index w = 0;
        for (Index u = 0; u < g.taps_y; ++u) {
          for (Index v = 0; v < g.taps_x; ++v) {
            const Index tap = place + u * g.tap_row + v * g.tap_place;
            for (Index c = 0; c < g.channels; ++c, ++w) {
              for (Index o = 0; o < g.outputs; ++o) visit(tap + c, w, y, o);
            }
          }
        }
      }
    }
  }
}

// Element (row, column) of a matrix of `rows` rows in panels.
static Index in_panels(Index row, Index column, Index rows) {
  return (column / kPanel * rows + row) * kPanel + column % kPanel;
}

void convolution(const Convolution& g, const Real* w, const Real* bias, Steps step, Real* y) noexcept {
  const auto place = [&](Index row) {
    return row / (g.rows * g.columns) * step.image + row / g.columns % g.rows * step.row + row % g.columns * step.place;
  };
  const Index places = g.images * g.rows * g.columns, terms = g.taps_y * g.taps_x * g.channels;
  for (Index row = 0; row < places; ++row) {
    for (Index o = 0; o < g.outputs; ++o) y[place(row) + o] = bias ? bias[o] : 0;
  }
  for_products(g, [&](Index x_at, Index w_at, Index y_at, Index o) {
    y[place(y_at) + o] += g.x[x_at] * w[in_panels(w_at, o, terms)];
  });
}

void convolution_weight(const Convolution& g, const Real* y, bool accumulate, Index w_row, Real* w) noexcept {
  const Index places = g.images * g.rows * g.columns;
  for (Index row = 0; row < g.taps_y * g.taps_x * g.channels && !accumulate; ++row) {
    for (Index o = 0; o < g.outputs; ++o) w[row * w_row + o] = 0;
  }
  for_products(g, [&](Index x_at, Index w_at, Index y_at, Index o) {
    w[w_at * w_row + o] += g.x[x_at] * y[in_panels(y_at, o, places)];
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Attention

static Real dot_product(Index n, const Real* a, const Real* b) {
  Real sum = 0;
  for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// The workspace holds one query's weights.
Index attention_workspace(const Attention& a) noexcept { return a.keys; }

constexpr Real kLog2E = Real(1.44269504088896340736);

void attention(const Attention& a, const AttentionOutput& out, Real* p) noexcept {
  for (Index t = 0; t < a.queries; ++t) {
    Real top = std::numeric_limits<Real>::lowest(), sum = 0;
    for (Index s = 0; s < a.keys; ++s) {
      p[s] = dot_product(a.depth, a.q + t * a.ldq, a.k + s * a.ldk);
      top = std::max(top, p[s]);
    }
    for (Index s = 0; s < a.keys; ++s) sum += p[s] = std::exp2(a.scale * kLog2E * (p[s] - top));
    for (Index c = 0; c < a.value_depth; ++c) {
      Real y = 0;
      for (Index s = 0; s < a.keys; ++s) y += p[s] * a.v[s * a.ldv + c];
      out.y[t * out.ldy + c] = y / sum;
    }
    out.top[t] = top;
    out.inverse_sum[t] = 1 / sum;
  }
}

// With the weights p = softmax(x), x = scale q k^T:   gp = gy v^T,   gx = p (gp - <gy, y>),
//   gq = scale gx k,   gk = scale gx^T q,   gv = p^T gy
void attention_gradient(const Attention& a, const AttentionOutput& out, const AttentionGradient& g, Real*) noexcept {
  for (Index s = 0; s < a.keys; ++s) {
    for (Index c = 0; c < a.depth; ++c) g.gk[s * a.ldk + c] = 0;
    for (Index c = 0; c < a.value_depth; ++c) g.gv[s * a.ldv + c] = 0;
  }
  for (Index t = 0; t < a.queries; ++t) {
    const Real *const q = a.q + t * a.ldq, *const gy = g.gy + t * out.ldy;
    Real* const gq = g.gq + t * a.ldq;
    const Real delta = dot_product(a.value_depth, gy, out.y + t * out.ldy);
    for (Index c = 0; c < a.depth; ++c) gq[c] = 0;
    for (Index s = 0; s < a.keys; ++s) {
      const Real* const k = a.k + s * a.ldk;
      const Real p = std::exp2(a.scale * kLog2E * (dot_product(a.depth, q, k) - out.top[t])) * out.inverse_sum[t];
      const Real gx = a.scale * p * (dot_product(a.value_depth, gy, a.v + s * a.ldv) - delta);
      for (Index c = 0; c < a.depth; ++c) {
        gq[c] += gx * k[c];
        g.gk[s * a.ldk + c] += gx * q[c];
      }
      for (Index c = 0; c < a.value_depth; ++c) g.gv[s * a.ldv + c] += p * gy[c];
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Normalization. What the other sets round on the way is measured against sums in twice the precision.

// What of x a Real tells, and what is left of it.
static void split(Wide x, Real& part, Real& rest) {
  part = static_cast<Real>(x);
  rest = static_cast<Real>(x - static_cast<Wide>(part));
}

// Their mean, and the mean of the squares of their distances from it.
struct MeanAndVariance {
  Wide mean, variance;
};
static MeanAndVariance mean_and_variance(Index n, Index stride, const Real* x) {
  Wide sum = 0, offsets = 0, squares = 0;
  const auto count = static_cast<Wide>(n);
  for (Index i = 0; i < n; ++i) sum += static_cast<Wide>(x[i * stride]);
  const Wide near = sum / count;
  for (Index i = 0; i < n; ++i) {
    const Wide d = static_cast<Wide>(x[i * stride]) - near;
    offsets += d;
    squares += d * d;
  }
  const Wide offset = offsets / count;
  return {near + offset, std::max<Wide>(squares / count - offset * offset, 0)};
}

void column_moments(Index rows, Index columns, const Real* x, Real* mean, Real* rest, Real* deviation) noexcept {
  for (Index c = 0; c < columns; ++c) {
    const MeanAndVariance column = mean_and_variance(rows, columns, x + c);
    split(column.mean, mean[c], rest[c]);
    deviation[c] = static_cast<Real>(std::sqrt(column.variance));
  }
}

void normalize_columns(Index rows, Index columns, const Real* x, const Real* mean, const Real* scale, const Real* shift,
                       Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
    for (Index c = 0; c < columns; ++c) y[c] = (x[c] - mean[c]) * scale[c] + shift[c];
  }
}

void column_products(Index rows, Index columns, const Real* g, const Real* x, const Real* mean, Real* sum,
                     Real* product) noexcept {
  for (Index c = 0; c < columns; ++c) {
    Wide sum_c = 0, product_c = 0;
    for (Index i = c; i < rows * columns; i += columns) {
      sum_c += static_cast<Wide>(g[i]);
      product_c += static_cast<Wide>(g[i]) * static_cast<Wide>(x[i] - mean[c]);
    }
    sum[c] += static_cast<Real>(sum_c);
    product[c] += static_cast<Real>(product_c);
  }
}

void normalize_columns_gradient(Index rows, Index columns, const Real* g, const Real* x, const Real* mean,
                                const Real* rstd, const Real* scale, const Real* slope, const Real* shift,
                                Real* gx) noexcept {
  for (Index r = 0; r < rows; ++r, g += columns, x += columns, gx += columns) {
    for (Index c = 0; c < columns; ++c) gx[c] = rstd[c] * (scale[c] * g[c] - slope[c] * (x[c] - mean[c]) - shift[c]);
  }
}

static Wide xhat(Real x, const Real* moments) {
  return (static_cast<Wide>(x) - static_cast<Wide>(moments[0])) * static_cast<Wide>(moments[1]) +
         static_cast<Wide>(moments[2]);
}

void normalize_rows(Index rows, Index columns, const Real* x, const Real* scale, const Real* shift, Real epsilon,
                    Real* y, Real* moments) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns, y += columns, moments += 3) {
    const MeanAndVariance row = mean_and_variance(columns, 1, x);
    const Wide rstd = 1 / std::sqrt(row.variance + static_cast<Wide>(epsilon));
    Real rest;
    split(row.mean, moments[0], rest);
    moments[1] = static_cast<Real>(rstd);
    moments[2] = static_cast<Real>(-static_cast<Wide>(rest) * rstd);
    for (Index c = 0; c < columns; ++c) {
      y[c] = static_cast<Real>(xhat(x[c], moments) * static_cast<Wide>(scale[c]) + static_cast<Wide>(shift[c]));
    }
  }
}

void normalize_rows_gradient(Index rows, Index columns, const Real* g, const Real* x, const Real* moments,
                             const Real* scale, Real* gx, Real* gscale, Real* gshift) noexcept {
  for (Index r = 0; r < rows; ++r, g += columns, x += columns, gx += columns, moments += 3) {
    const auto h = [&](Index c) { return static_cast<Wide>(g[c]) * static_cast<Wide>(scale[c]); };
    Wide sum = 0, product = 0;
    for (Index c = 0; c < columns; ++c) {
      sum += h(c);
      product += h(c) * xhat(x[c], moments);
      gscale[c] += static_cast<Real>(static_cast<Wide>(g[c]) * xhat(x[c], moments));
      gshift[c] += g[c];
    }
    const auto count = static_cast<Wide>(columns);
    for (Index c = 0; c < columns; ++c) {
      gx[c] = static_cast<Real>(static_cast<Wide>(moments[1]) *
                                (h(c) - sum / count - xhat(x[c], moments) * (product / count)));
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Pooling

// body(i, c): number i of the grid, channel by channel, and where channel c of its rectangle is to be found in x, by
// visit(place), for every place.
template <class Body>
static void for_rectangles(const Rectangles& at, const Body& body) {
  Index out = 0;
  for (Index i = 0; i < at.row_count; ++i) {
    for (Index j = 0; j < at.column_count; ++j) {
      for (Index c = 0; c < at.channels; ++c, ++out) {
        body(out, [&](const auto& visit) {
          for (Index r = at.rows[i].begin; r < at.rows[i].end; ++r) {
            for (Index k = at.columns[j].begin; k < at.columns[j].end; ++k) {
              visit((r * at.width + k) * at.channels + c);
            }
          }
        });
      }
    }
  }
}

// The first place of the maximum, or of a NaN.
template <class Visit>
static Index first_maximum(const Real* x, const Visit& for_places) {
  Index best = -1;
  for_places([&](Index place) {
    if (best < 0 || x[place] > x[best] || (std::isnan(x[place]) && !std::isnan(x[best]))) best = place;
  });
  return best;
}

void sum_rectangles(const Rectangles& at, const Real* x, Real divisor, Real* y) noexcept {
  for_rectangles(at, [=](Index i, const auto& for_places) {
    Wide sum = 0;
    for_places([&](Index place) { sum += static_cast<Wide>(x[place]); });
    y[i] = static_cast<Real>(sum / static_cast<Wide>(divisor));
  });
}

void pick_at_maxima(const Rectangles& at, const Real* x, const Real* v, Real* y) noexcept {
  for_rectangles(at, [=](Index i, const auto& for_places) { y[i] = v[first_maximum(x, for_places)]; });
}

void add_at_maxima(const Rectangles& at, const Real* x, const Real* g, Real* gx) noexcept {
  for_rectangles(at, [=](Index i, const auto& for_places) { gx[first_maximum(x, for_places)] += g[i]; });
}

}  // namespace rill::simd::scalar
