// Transposition, in registers.
#pragma once

#include "autodiff/simd/batch-inl.hpp"

namespace rill::simd {
namespace {

/// Transposes L registers of L lanes: log2 L perfect shuffles. One shuffle interleaves register i with i + L/2, which
/// moves the top bit of (register, lane) to the bottom; after log2 L of them the two halves are swapped.
template <class V>
void transpose_registers(V (&x)[V::size]) {
  constexpr int L = V::size;
  for (int step = 1; step < L; step *= 2) {
    V y[L];
    unroll<L / 2>([&](auto i) {
      y[2 * i] = x[i];
      y[2 * i + 1] = x[i + L / 2];
      interleave(y[2 * i], y[2 * i + 1]);
    });
    unroll<L>([&](auto i) { x[i] = y[i]; });
  }
}

/// y[c, r] = x[r, c] for rows, columns <= L, with rows `ldx` and `ldy` apart.
template <class V>
[[gnu::flatten]] void transpose_block(Index rows, Index columns, const Real* x, Index ldx, Real* y, Index ldy) {
  constexpr int L = V::size;
  V block[L];
  if (rows == L && columns == L) {
    unroll<L>([&](auto i) { block[i] = V::load_unaligned(x + i * ldx); });
    transpose_registers(block);
    unroll<L>([&](auto i) { block[i].store_unaligned(y + i * ldy); });
  } else {
    unroll<L>([&](auto i) {
      block[i] = i >= rows ? V(0) : columns == L ? V::load_unaligned(x + i * ldx) : Head<V>(columns).load(x + i * ldx);
    });
    transpose_registers(block);
    unroll<L>([&](auto i) {
      if (i < columns && rows == L) {
        block[i].store_unaligned(y + i * ldy);
      } else if (i < columns) {
        Head<V>(rows).store(y + i * ldy, block[i]);
      }
    });
  }
}

/// y[c, r] = x[r, c] for any size. Going down a column of blocks writes rows of y from left to right.
template <class V>
void transpose_matrix(Index rows, Index columns, const Real* x, Index ldx, Real* y, Index ldy) {
  constexpr Index L = kLanes<V>;
  for (Index c = 0; c < columns; c += L) {
    for (Index r = 0; r < rows; r += L) {
      transpose_block<V>(rows - r < L ? rows - r : L, columns - c < L ? columns - c : L, x + r * ldx + c, ldx,
                         y + c * ldy + r, ldy);
    }
  }
}

template <class V>
void transpose(Index rows, Index columns, const Real* x, Real* y) noexcept {
  transpose_matrix<V>(rows, columns, x, columns, y, rows);
}

}  // namespace
}  // namespace rill::simd
