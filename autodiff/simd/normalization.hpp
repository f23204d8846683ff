// Normalization of columns and of rows.
#pragma once

#include "autodiff/real.hpp"

namespace rill::simd {

struct NormalizationKernels {
  // Normalization. x, g, y: [rows, columns]; arguments per column: [columns].
  /// For each column, its mean is mean_c + rest_c, where rest_c is the rounding error of mean_c, and
  ///   deviation_c = sqrt(sum_r (x[r, c] - mean)^2 / rows).   rows >= 1
  /// Neither a mean far from 0 nor an outlier row costs digits, and no square overflows; squares of differences from
  /// the mean below 1e-17 (double: 1e-150) may underflow.
  void (*column_moments)(Index rows, Index columns, const Real* x, Real* mean, Real* rest, Real* deviation) noexcept;
  /// y = (x - mean_c) scale_c + shift_c
  void (*normalize_columns)(Index rows, Index columns, const Real* x, const Real* mean, const Real* scale,
                            const Real* shift, Real* y) noexcept;
  /// sum_c += sum_r g[r, c],   product_c += sum_r g[r, c] (x[r, c] - mean_c)
  void (*column_products)(Index rows, Index columns, const Real* g, const Real* x, const Real* mean, Real* sum,
                          Real* product) noexcept;
  /// gx = rstd_c (scale_c g - slope_c (x - mean_c) - shift_c)
  void (*normalize_columns_gradient)(Index rows, Index columns, const Real* g, const Real* x, const Real* mean,
                                     const Real* rstd, const Real* scale, const Real* slope, const Real* shift,
                                     Real* gx) noexcept;
  /// For each row: y = xhat scale_c + shift_c,   xhat = (x - mean_r) rstd_r + low_r,   rstd_r = 1 / sqrt(variance_r +
  /// epsilon), where low_r corrects the rounding of mean_r. moments: [rows, 3], the mean, rstd and low. columns >=
  /// 1. Digits, overflow and underflow as in column_moments.
  void (*normalize_rows)(Index rows, Index columns, const Real* x, const Real* scale, const Real* shift, Real epsilon,
                         Real* y, Real* moments) noexcept;
  /// gx = rstd_r (h - mean(h) - xhat mean(h xhat)) with h = g scale_c and the means over each row;
  /// gscale_c += sum_r g xhat,   gshift_c += sum_r g
  void (*normalize_rows_gradient)(Index rows, Index columns, const Real* g, const Real* x, const Real* moments,
                                  const Real* scale, Real* gx, Real* gscale, Real* gshift) noexcept;
};

namespace scalar {
extern const NormalizationKernels normalization_kernels;  // to which the other sets leave rare cases
}

}  // namespace rill::simd

#ifdef RILL_REFERENCE
// In plain C++, one number at a time.
#include "autodiff/simd/reference-inl.hpp"

namespace rill::simd::scalar {
namespace {

// x rounded to a Real, and the rest.
void split(Wide x, Real& part, Real& rest) {
  part = static_cast<Real>(x);
  rest = static_cast<Real>(x - static_cast<Wide>(part));
}

// The mean of some numbers, and the mean of their squared distances from it.
struct MeanAndVariance {
  Wide mean, variance;
};
MeanAndVariance mean_and_variance(Index n, Index stride, const Real* x) {
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

Wide xhat(Real x, const Real* moments) {
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

}  // namespace

extern constinit const NormalizationKernels normalization_kernels = {
    .column_moments = column_moments,
    .normalize_columns = normalize_columns,
    .column_products = column_products,
    .normalize_columns_gradient = normalize_columns_gradient,
    .normalize_rows = normalize_rows,
    .normalize_rows_gradient = normalize_rows_gradient,
};

}  // namespace rill::simd::scalar
#endif
