// The kernels in plain C++ that stand in a file of their own, for the table in scalar.cpp; some are also what the
// others leave rare cases to.
#pragma once

#include <type_traits>

#include "autodiff/simd/kernels.hpp"

namespace rill::simd::scalar {

// Twice the precision, and with it formulas as they stand in a book: their rounding errors and what overflows in them
// are lost in the last rounding, to a Real.
using Wide = std::conditional_t<sizeof(Real) == 4, double, long double>;

// scalar.cpp
void mean(Index outer, Index reduced, Index inner, const Real* x, Real* y) noexcept;

// scalar_images.cpp; what they compute is said in kernels.hpp.
inline constexpr int kPanel = 4;
void convolution(const Convolution& g, const Real* w, const Real* bias, Steps step, Real* y) noexcept;
void convolution_weight(const Convolution& g, const Real* y, bool accumulate, Index w_row, Real* w) noexcept;

Index attention_workspace(const Attention& a) noexcept;
void attention(const Attention& a, const AttentionOutput& out, Real* p) noexcept;
void attention_gradient(const Attention& a, const AttentionOutput& out, const AttentionGradient& g, Real*) noexcept;

void column_moments(Index rows, Index columns, const Real* x, Real* mean, Real* rest, Real* deviation) noexcept;
void normalize_columns(Index rows, Index columns, const Real* x, const Real* mean, const Real* scale, const Real* shift,
                       Real* y) noexcept;
void column_products(Index rows, Index columns, const Real* g, const Real* x, const Real* mean, Real* sum,
                     Real* product) noexcept;
void normalize_columns_gradient(Index rows, Index columns, const Real* g, const Real* x, const Real* mean,
                                const Real* rstd, const Real* scale, const Real* slope, const Real* shift,
                                Real* gx) noexcept;
void normalize_rows(Index rows, Index columns, const Real* x, const Real* scale, const Real* shift, Real epsilon,
                    Real* y, Real* moments) noexcept;
void normalize_rows_gradient(Index rows, Index columns, const Real* g, const Real* x, const Real* moments,
                             const Real* scale, Real* gx, Real* gscale, Real* gshift) noexcept;

void sum_rectangles(const Rectangles& at, const Real* x, Real divisor, Real* y) noexcept;
void pick_at_maxima(const Rectangles& at, const Real* x, const Real* v, Real* y) noexcept;
void add_at_maxima(const Rectangles& at, const Real* x, const Real* g, Real* gx) noexcept;

}  // namespace rill::simd::scalar
