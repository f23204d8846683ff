// Loops that apply a function to arrays, element by element.
#pragma once

#include "autodiff/simd/batch-inl.hpp"
#include "autodiff/simd/elementwise.hpp"

namespace rill::simd {
namespace {

// ---------------------------------------------------------------------------------------------------------------------
// Loops over one array. "Flatten" keeps the constants of long functions in registers during the loop.

template <class V, V (*f)(V)>
[[gnu::flatten]] void unary(Index n, const Real* x, Real* y) noexcept {
  for_registers<V>(n, [=](Index i, auto part) { part.store(y + i, f(part.load(x + i))); });
}
template <class V, V (*f)(V, V)>
[[gnu::flatten]] void unary1(Index n, const Real* x, Real a, Real* y) noexcept {
  for_registers<V>(n, [=](Index i, auto part) { part.store(y + i, f(part.load(x + i), V(a))); });
}
template <class V, V (*f)(V, V, V)>
[[gnu::flatten]] void unary2(Index n, const Real* x, Real a, Real b, Real* y) noexcept {
  for_registers<V>(n, [=](Index i, auto part) { part.store(y + i, f(part.load(x + i), V(a), V(b))); });
}
template <class V, V (*f)(V, V)>
[[gnu::flatten]] void gradient(Index n, const Real* gy, const Real* v, Real* gx) noexcept {
  for_registers<V>(n, [=](Index i, auto part) { part.store(gx + i, f(part.load(gy + i), part.load(v + i))); });
}
template <class V, V (*f)(V, V, V)>
[[gnu::flatten]] void gradient1(Index n, const Real* gy, const Real* v, Real a, Real* gx) noexcept {
  for_registers<V>(n, [=](Index i, auto part) { part.store(gx + i, f(part.load(gy + i), part.load(v + i), V(a))); });
}
template <class V, V (*f)(V, V, V, V)>
[[gnu::flatten]] void gradient2(Index n, const Real* gy, const Real* v, Real a, Real b, Real* gx) noexcept {
  for_registers<V>(n,
                   [=](Index i, auto part) { part.store(gx + i, f(part.load(gy + i), part.load(v + i), V(a), V(b))); });
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

/// Whether the rows of x are contiguous, so that the matrix is one long row.
bool contiguous(const Operand& x, Index columns) {
  return (x.column == 1 && x.row == columns) || (x.column == 0 && x.row == 0);
}

/// Calls body(rows, columns, operands, y) for all of y, with rows long enough for a loop over registers: one row if
/// everything is contiguous; rows shorter than a register are copied side by side, many at a time.
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

}  // namespace
}  // namespace rill::simd
