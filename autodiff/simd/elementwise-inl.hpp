// Functions applied element by element. The formulas read as in scalar.cpp, on registers.
#pragma once

#include "autodiff/simd/math-inl.hpp"

namespace rill::simd {
namespace {

template <class V>
struct Functions {
  static V exp(V x) { return math::exp(x); }
  static V log(V x) { return math::log(x); }
  static V sqrt(V x) { return square_root(x); }
  static V square(V x) { return x * x; }
  static V sin(V x) { return math::sincos(x).sin; }
  static V cos(V x) { return math::sincos(x).cos; }
  // tanh |x| = -m / (2 + m) with m = e^(-2 |x|) - 1
  static V tanh(V x) {
    const V m = math::expm1_negative(V(xsimd::abs(x) * V(-2)));
    return with_sign_of(x, divide(m, V(m + V(2))));
  }
  static V sigmoid(V x) { return simd::divide(V(1), V(V(1) + math::exp(V(-x)))); }
  static V softplus(V x) { return relu(x) + math::log1p_unit(math::exp(V(-xsimd::abs(x)))); }
  static V relu(V x) { return xsimd::select(x < V(0), V(0), x); }
  static V gelu(V x) { return x * math::normal(x).cdf; }
  static V silu(V x) { return simd::divide(x, V(V(1) + math::exp(V(-x)))); }
  static V abs(V x) { return xsimd::abs(x); }
  static V sign(V x) { return xsimd::select(x > V(0), V(1), V(xsimd::select(x < V(0), V(-1), x))); }

  static V leaky_relu(V x, V a) { return xsimd::select(x > V(0), x, V(a * x)); }
  static V elu(V x, V a, V b) {
    return xsimd::select(x > V(0), V(b * x), V(b * a * math::expm1_negative(V(xsimd::min(V(0), x)))));
  }
  static V clamp(V x, V a, V b) { return xsimd::select(x < a, a, V(xsimd::select(x > b, b, x))); }
  static V affine(V x, V a, V b) { return mul_add(a, x, b); }

  static V tanh_gradient(V gy, V y) { return gy * neg_mul_add(y, y, V(1)); }
  static V sigmoid_gradient(V gy, V y) { return gy * y * (V(1) - y); }
  static V softplus_gradient(V gy, V x) { return gy * sigmoid(x); }
  static V relu_gradient(V gy, V x) { return xsimd::select(x > V(0), gy, V(0)); }
  static V gelu_gradient(V gy, V x) {
    const math::Normal<V> n = math::normal(x);
    return gy * mul_add(x, n.pdf, n.cdf);
  }
  static V silu_gradient(V gy, V x) {
    const V s = sigmoid(x);
    return gy * s * mul_add(x, V(V(1) - s), V(1));
  }
  static V leaky_relu_gradient(V gy, V x, V a) { return xsimd::select(x > V(0), gy, V(a * gy)); }
  static V elu_gradient(V gy, V y, V a, V b) { return xsimd::select(y > V(0), V(b * gy), V(gy * mul_add(a, b, y))); }
  static V clamp_gradient(V gy, V x, V a, V b) { return xsimd::select((a <= x) & (x <= b), gy, V(0)); }

  static V add(V a, V b) { return a + b; }
  static V subtract(V a, V b) { return a - b; }
  static V multiply(V a, V b) { return a * b; }
  static V divide(V a, V b) { return simd::divide(a, b); }
  // b is taken when the comparison is false, as it is when b is NaN.
  static V minimum(V a, V b) { return xsimd::select(xsimd::isnan(a), a, V(xsimd::select(a < b, a, b))); }
  static V maximum(V a, V b) { return xsimd::select(xsimd::isnan(a), a, V(xsimd::select(a > b, a, b))); }
  static V less(V a, V b) { return xsimd::select(a < b, V(1), V(0)); }
  static V less_equal(V a, V b) { return xsimd::select(a <= b, V(1), V(0)); }
  static V equal(V a, V b) { return xsimd::select(a == b, V(1), V(0)); }

 private:
  static V with_sign_of(V x, V magnitude) {
    using W = WordsOf<V>;
    return bits_as<V>(W((bits_as<W>(magnitude) & W(~math::kSignBit)) | (bits_as<W>(x) & W(math::kSignBit))));
  }
};

// ---------------------------------------------------------------------------------------------------------------------
// Loops over one array

template <class V, V (*f)(V)>
void unary(Index n, const Real* x, Real* y) noexcept {
  for_registers<V>(n, [=](Index i, auto part) { part.store(y + i, f(part.load(x + i))); });
}
template <class V, V (*f)(V, V)>
void unary1(Index n, const Real* x, Real a, Real* y) noexcept {
  for_registers<V>(n, [=](Index i, auto part) { part.store(y + i, f(part.load(x + i), V(a))); });
}
template <class V, V (*f)(V, V, V)>
void unary2(Index n, const Real* x, Real a, Real b, Real* y) noexcept {
  for_registers<V>(n, [=](Index i, auto part) { part.store(y + i, f(part.load(x + i), V(a), V(b))); });
}
template <class V, V (*f)(V, V)>
void gradient(Index n, const Real* gy, const Real* v, Real* gx) noexcept {
  for_registers<V>(n, [=](Index i, auto part) { part.store(gx + i, f(part.load(gy + i), part.load(v + i))); });
}
template <class V, V (*f)(V, V, V)>
void gradient1(Index n, const Real* gy, const Real* v, Real a, Real* gx) noexcept {
  for_registers<V>(n, [=](Index i, auto part) { part.store(gx + i, f(part.load(gy + i), part.load(v + i), V(a))); });
}
template <class V, V (*f)(V, V, V, V)>
void gradient2(Index n, const Real* gy, const Real* v, Real a, Real b, Real* gx) noexcept {
  for_registers<V>(n,
                   [=](Index i, auto part) { part.store(gx + i, f(part.load(gy + i), part.load(v + i), V(a), V(b))); });
}

template <class V, V (*f)(V), V (*f_gradient)(V, V)>
void with_slope(Index n, const Real* x, Real* y, Real* slope) noexcept {
  for_registers<V>(n, [=](Index i, auto part) {
    const V x_i = part.load(x + i);
    part.store(y + i, f(x_i));
    part.store(slope + i, f_gradient(V(1), x_i));  // has most of its work in common with f
  });
}

/// Small whole powers by repeated squaring; the rest is C's, one by one: no short formula has its accuracy and
/// special values.
template <class V>
void pow(Index n, const Real* x, Real a, Real* y) noexcept {
  const int whole = a >= -16 && a <= 16 ? static_cast<int>(a) : 0;
  if (static_cast<Real>(whole) == a) {
    for_registers<V>(n, [=](Index i, auto part) {
      V power(1), square = part.load(x + i);
      for (int rest = whole < 0 ? -whole : whole; rest > 0; rest /= 2, square = square * square) {
        if (rest % 2 == 1) power = power * square;
      }
      part.store(y + i, whole < 0 ? divide(V(1), power) : power);
    });
  } else {
    for (Index i = 0; i < n; ++i) {
      y[i] = kSingle ? __builtin_powf(static_cast<float>(x[i]), static_cast<float>(a))
                     : static_cast<Real>(__builtin_pow(x[i], a));
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Loops over two or three arrays, broadcast by strides

/// A row of an operand: an array, or one number repeated.
template <class V, bool repeats>
class Row {
 public:
  explicit Row(const Real* data) : data_(data), repeated_(repeats ? V(*data) : V(0)) {}
  template <class Part>
  V load(Index c, Part part) const {
    if constexpr (repeats) {
      return repeated_;
    } else {
      return part.load(data_ + c);
    }
  }

 private:
  const Real* data_;
  V repeated_;
};

template <class V, V (*f)(V, V), bool a_repeats, bool b_repeats>
void binary_rows(Index rows, Index columns, Operand a, Operand b, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r, y += columns) {
    const Row<V, a_repeats> a_row(a.data + r * a.row);
    const Row<V, b_repeats> b_row(b.data + r * b.row);
    for_registers<V>(columns,
                     [&](Index c, auto part) { part.store(y + c, f(a_row.load(c, part), b_row.load(c, part))); });
  }
}

/// Whether the rows of x follow one another, so that the matrix is one long row.
bool contiguous(const Operand& x, Index columns) {
  return (x.column == 1 && x.row == columns) || (x.column == 0 && x.row == 0);
}

/// Calls body(rows, columns, operands, y) for all of y, with rows that are worth a loop over registers: one row if
/// everything is contiguous; and where rows are shorter than a register, many at a time, copied side by side.
template <class V, int n, class Body>
void with_long_rows(Index rows, Index columns, const Operand (&x)[n], Real* y, Body body) {
  if (rows <= 0 || columns <= 0) return;  // nothing may be read
  bool one_row = true;
  for (const Operand& operand : x) one_row = one_row && contiguous(operand, columns);
  if (one_row) return body(1, rows * columns, x, y);
  if (columns >= kLanes<V>) return body(rows, columns, x, y);
  constexpr Index kChunk = 256;
  alignas(64) Real copy[n][kChunk];
  for (Index r = 0; r < rows; r += kChunk / columns) {
    const Index count = rows - r < kChunk / columns ? rows - r : kChunk / columns;
    Operand row[n];
    for (int i = 0; i < n; ++i) {
      const Real* from = x[i].data + r * x[i].row;
      row[i] = {from, 0, x[i].column};
      if (contiguous(x[i], columns)) continue;
      row[i] = {copy[i], 0, 1};
      for (Index k = 0; k < count; ++k) {
        for (Index c = 0; c < columns; ++c) copy[i][k * columns + c] = from[k * x[i].row + c * x[i].column];
      }
    }
    body(1, count * columns, row, y + r * columns);
  }
}

template <class V, V (*f)(V, V)>
void binary(Index rows, Index columns, Operand a, Operand b, Real* y) noexcept {
  with_long_rows<V, 2>(rows, columns, {a, b}, y, [](Index m, Index n, const Operand(&x)[2], Real* z) {
    if (x[0].column != 0 && x[1].column != 0) {
      binary_rows<V, f, false, false>(m, n, x[0], x[1], z);
    } else if (x[0].column != 0) {
      binary_rows<V, f, false, true>(m, n, x[0], x[1], z);
    } else if (x[1].column != 0) {
      binary_rows<V, f, true, false>(m, n, x[0], x[1], z);
    } else {
      binary_rows<V, f, true, true>(m, n, x[0], x[1], z);
    }
  });
}

template <class V>
void select(Index rows, Index columns, Operand condition, Operand a, Operand b, Real* y) noexcept {
  with_long_rows<V, 3>(rows, columns, {condition, a, b}, y, [](Index m, Index n, const Operand(&x)[3], Real* z) {
    for (Index r = 0; r < m; ++r, z += n) {
      for_registers<V>(n, [&](Index c, auto part) {
        const auto load = [&](const Operand& operand) {
          const Real* row = operand.data + r * operand.row;
          return operand.column == 0 ? V(*row) : part.load(row + c);
        };
        const auto zero = load(x[0]) == V(0);
        part.store(z + c, V(xsimd::select(zero, load(x[2]), load(x[1]))));
      });
    }
  });
}

}  // namespace
}  // namespace rill::simd
