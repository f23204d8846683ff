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
    Real top = -std::numeric_limits<Real>::infinity(), sum = 0;
    for (Index s = 0; s < a.keys; ++s) {
      p[s] = a.scale * kLog2E * dot_product(a.depth, a.q + t * a.ldq, a.k + s * a.ldk);
      top = std::max(top, p[s]);
    }
    for (Index s = 0; s < a.keys; ++s) sum += p[s] = std::exp2(p[s] - top);
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
      const Real p = std::exp2(a.scale * kLog2E * dot_product(a.depth, q, k) - out.top[t]) * out.inverse_sum[t];
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

using Wide = std::conditional_t<sizeof(Real) == 4, double, long double>;

void column_moments(Index rows, Index columns, const Real* x, Real* mean, Real* squares) noexcept {
  for (Index c = 0; c < columns; ++c) {
    Wide sum = 0, sum_of_squares = 0;
    for (Index r = 0; r < rows; ++r) sum += static_cast<Wide>(x[r * columns + c]);
    const Wide center = sum / static_cast<Wide>(rows);
    for (Index r = 0; r < rows; ++r) {
      const Wide d = static_cast<Wide>(x[r * columns + c]) - center;
      sum_of_squares += d * d;
    }
    mean[c] = static_cast<Real>(center);
    squares[c] = static_cast<Real>(sum_of_squares);
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
                                const Real* scale, const Real* slope, const Real* shift, Real* gx) noexcept {
  for (Index r = 0; r < rows; ++r, g += columns, x += columns, gx += columns) {
    for (Index c = 0; c < columns; ++c) gx[c] = scale[c] * g[c] - slope[c] * (x[c] - mean[c]) - shift[c];
  }
}

void normalize_rows(Index rows, Index columns, const Real* x, const Real* scale, const Real* shift, Real epsilon,
                    Real* y, Real* moments) noexcept {
  for (Index r = 0; r < rows; ++r, x += columns, y += columns, moments += 2) {
    Wide sum = 0, sum_of_squares = 0;
    const auto count = static_cast<Wide>(columns);
    for (Index c = 0; c < columns; ++c) sum += static_cast<Wide>(x[c]);
    for (Index c = 0; c < columns; ++c) {
      const Wide d = static_cast<Wide>(x[c]) - sum / count;
      sum_of_squares += d * d;
    }
    moments[0] = static_cast<Real>(sum / count);
    moments[1] = static_cast<Real>(1 / std::sqrt(sum_of_squares / count + static_cast<Wide>(epsilon)));
    for (Index c = 0; c < columns; ++c) y[c] = (x[c] - moments[0]) * moments[1] * scale[c] + shift[c];
  }
}

void normalize_rows_gradient(Index rows, Index columns, const Real* g, const Real* x, const Real* moments,
                             const Real* scale, Real* gx, Real* gscale, Real* gshift) noexcept {
  for (Index r = 0; r < rows; ++r, g += columns, x += columns, gx += columns, moments += 2) {
    const auto xhat = [&](Index c) { return (x[c] - moments[0]) * moments[1]; };
    Wide sum = 0, product = 0;
    for (Index c = 0; c < columns; ++c) {
      sum += static_cast<Wide>(g[c] * scale[c]);
      product += static_cast<Wide>(g[c] * scale[c] * xhat(c));
      gscale[c] += g[c] * xhat(c);
      gshift[c] += g[c];
    }
    const auto count = static_cast<Wide>(columns);
    const Real mean = static_cast<Real>(sum / count), slope = static_cast<Real>(product / count);
    for (Index c = 0; c < columns; ++c) gx[c] = moments[1] * (g[c] * scale[c] - mean - xhat(c) * slope);
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

void sum_rectangles(const Rectangles& at, const Real* x, Real scale, Real* y) noexcept {
  for_rectangles(at, [=](Index i, const auto& for_places) {
    Real sum = 0;
    for_places([&](Index place) { sum += x[place]; });
    y[i] = scale * sum;
  });
}

void pick_at_maxima(const Rectangles& at, const Real* x, const Real* v, Real* y) noexcept {
  for_rectangles(at, [=](Index i, const auto& for_places) { y[i] = v[first_maximum(x, for_places)]; });
}

void add_at_maxima(const Rectangles& at, const Real* x, const Real* g, Real* gx) noexcept {
  for_rectangles(at, [=](Index i, const auto& for_places) { gx[first_maximum(x, for_places)] += g[i]; });
}

}  // namespace rill::simd::scalar
