// Normalization and pooling in plain C++, one number at a time.
#include <cmath>
#include <type_traits>

#include "autodiff/simd/scalar.hpp"

namespace rill::simd::scalar {

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
