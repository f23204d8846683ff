// The inner loops of the matrix product, in registers.
#pragma once

#include "autodiff/simd/gemm-panel-inl.hpp"
#include "autodiff/simd/transpose-inl.hpp"

namespace rill::simd {
namespace {

/// The height of the tallest tile of a given width.
constexpr int highest_tile(int width) { return width <= kTileWidth ? kTileRows : width <= 3 ? 3 : 2; }

/// The height of the next tile if `rows` are left: the full height, unless one to three rows would remain, whose few
/// sums would wait for one another; then the last two tiles share the rows.
constexpr Index tile_height(Index rows) {
  if (rows <= kTileRows) return rows;
  return rows < kTileRows + 4 ? (rows + 1) / 2 : kTileRows;
}

/// Moves down by `rows`.
void advance(TileOutput& out, Index rows) { out.c += rows * out.ldc; }

template <class V, int rows, int width>
void store_tile(const V (&acc)[rows][width], TileOutput out) {
  const auto store_column = [&](auto j, auto part) {
    const V bias = out.bias ? part.load(out.bias + j * kLanes<V>) : V(0);
    Real* c = out.c + j * kLanes<V>;
    if (out.accumulate) {
      unroll<rows>([&](auto i) { part.store(c + i * out.ldc, acc[i][j] + bias + part.load(c + i * out.ldc)); });
    } else {
      unroll<rows>([&](auto i) { part.store(c + i * out.ldc, acc[i][j] + bias); });
    }
  };
  unroll<width - 1>([&](auto j) { store_column(j, Whole<V>{}); });
  if (out.last == kLanes<V>) {
    store_column(Constant<width - 1>{}, Whole<V>{});
  } else {
    store_column(Constant<width - 1>{}, Head<V>(out.last));
  }
}

/// The terms of a sum that are not contiguous in A: rows x columns runs of k terms, `row` and `column` numbers apart.
/// In B they are contiguous.
struct Runs {
  Index rows, row, columns, column, k;
  Index lower = 0;  // of a folded tile: from a row of its upper half to the same row of its lower half, in A
};

/// Calls run(a, k) for every run of terms; most sums are a single run.
template <class Run>
void for_runs(Index k, const Real* a, const Run& run) {
  run(a, k);
}
template <class Run>
void for_runs(const Runs& runs, const Real* a, const Run& run) {
  for (Index r = 0; r < runs.rows; ++r) {
    for (Index c = 0; c < runs.columns; ++c) run(a + r * runs.row + c * runs.column, runs.k);
  }
}

/// One tile. Element (i, p) of A is a[i lda + p], or a[p lda + i] when `a_transposed`; row p of B is at b + p ldb, and
/// `partial` if the last register of a row is incomplete. `terms` is their number, or Runs of them. The
/// rows of a folded tile are two ranges of rows of A. A tile of few rows keeps several partial sums of each element,
/// for successive steps, which would otherwise wait for one another. Their number depends only on the rows of all of C,
/// so the result rounds the same for any number of threads. `flatten` inlines everything that it calls; otherwise its
/// sums would have an address and live in memory.
template <class V, int rows, int width, bool a_transposed, bool partial, bool folded = false, class Terms>
[[gnu::flatten]] void tile(Terms terms, const Real* a, Index lda, const Real* b, Index ldb, TileOutput out) {
  constexpr int kSteps = rows > (kTileRows >= 8 ? 3 : 1) ? 1 : kTileRows < 8 || rows > 1 ? 2 : 4;
  V acc[kSteps][rows][width];
  unroll<kSteps>([&](auto s) { unroll<rows>([&](auto i) { unroll<width>([&](auto j) { acc[s][i][j] = V(0); }); }); });
  if (out.accumulate || sizeof(Terms) > sizeof(Index)) {  // by the time the sums are done, C is in L1
    unroll<rows>(
        [&](auto i) { unroll<width>([&](auto j) { __builtin_prefetch(out.c + i * out.ldc + j * kLanes<V>); }); });
  }
  const Head<V> head(out.last);
  const auto a_row = [&](const Real* from, auto i) {
    if constexpr (folded) {
      return from[(i < rows / 2 ? 0 : terms.lower) + i % (rows / 2) * lda];
    } else {
      return from[i * lda];
    }
  };
  const auto step = [&](auto s) {
    V b_p[width];
    unroll<width>([&](auto j) {
      const Real* from = b + j * kLanes<V>;
      b_p[j] = partial && j == width - 1 ? head.load(from) : V::load_unaligned(from);
    });
    unroll<rows>([&](auto i) {
      const V a_ip(a_transposed ? a[i] : a_row(a, i));
      unroll<width>([&](auto j) { acc[s][i][j] = mul_add(a_ip, b_p[j], acc[s][i][j]); });
    });
    b += ldb;
    a += a_transposed ? lda : 1;
  };
  for_runs(terms, a, [&](const Real* run, Index k) {
    a = run;
    Index p = 0;
    for (; p + kSteps <= k; p += kSteps) unroll<kSteps>(step);
    if constexpr (kSteps > 1) {
      for (; p < k; ++p) step(Constant<0>{});
    }
  });
  if constexpr (kSteps > 1) {
    unroll<kSteps - 1>([&](auto s) {
      unroll<rows>([&](auto i) { unroll<width>([&](auto j) { acc[0][i][j] = acc[0][i][j] + acc[s + 1][i][j]; }); });
    });
  }
  store_tile(acc[0], out);
}

/// A tile whose height is a run-time value.
template <class V, int width, bool a_transposed, bool partial, int rows, class Terms>
void tile_of_height(Index height, Terms terms, const Real* a, Index lda, const Real* b, Index ldb, TileOutput out) {
  if constexpr (rows > 1) {
    if (height < rows) {
      return tile_of_height<V, width, a_transposed, partial, rows - 1>(height, terms, a, lda, b, ldb, out);
    }
  }
  tile<V, rows, width, a_transposed, partial>(terms, a, lda, b, ldb, out);
}

/// Rows of op(A) times a panel of B of `registers` <= width registers: a column of tiles.
template <class V, LayoutA layout, bool partial, int width, class Terms>
void panel_product(Index registers, Index m, Terms terms, const Real* a, Index lda, const Real* b, Index ldb,
                   TileOutput out) {
  if constexpr (width > 1) {
    if (registers < width) {
      return panel_product<V, layout, partial, width - 1>(registers, m, terms, a, lda, b, ldb, out);
    }
  }
  while (m > 0) {
    const Index height = tile_height(m);
    tile_of_height<V, width, layout != LayoutA::kRows, partial, highest_tile(width)>(
        height, terms, a, layout == LayoutA::kPacked ? height : lda, b, ldb, out);
    m -= height;
    if constexpr (layout == LayoutA::kRows) a += height * lda;
    if constexpr (layout == LayoutA::kColumns) a += height;
    if constexpr (layout == LayoutA::kPacked) a += height * terms;
    advance(out, height);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Products with few columns: one dot product per element

/// The sums of L registers, as one register: interleaving x[i] with x[i + h] and adding the two results leaves in
/// x[i] the partial sums of both, alternating.
template <class V, int h = V::size / 2>
V sum_each(V (&x)[V::size]) {
  unroll<h>([&](auto i) {
    interleave(x[i], x[i + h]);
    x[i] = x[i] + x[i + h];
  });
  if constexpr (h > 1) {
    return sum_each<V, h / 2>(x);
  } else {
    return x[0];
  }
}

/// L elements of C at a time, in L / columns rows of up to `columns`: rows of A times rows of B, both contiguous along
/// k. Rows and columns past the end repeat the last one.
template <class V, int columns, int rows>
[[gnu::flatten]] void dot_block(Index m, Index n, Index k, const Real* a, Index lda, const Real* b, Index ldb,
                                TileOutput out) {
  V acc[V::size];
  unroll<V::size>([&](auto i) { acc[i] = V(0); });
  const Real *a_row[rows], *b_row[columns];
  unroll<rows>([&](auto i) { a_row[i] = a + (i < m ? Index{i} : m - 1) * lda; });
  unroll<columns>([&](auto j) { b_row[j] = b + (j < n ? Index{j} : n - 1) * ldb; });
  for_registers<V>(k, [&](Index p, auto part) {
    V b_p[columns];
    unroll<columns>([&](auto j) { b_p[j] = part.load(b_row[j] + p); });
    unroll<rows>([&](auto i) {
      const V a_p = part.load(a_row[i] + p);
      unroll<columns>([&](auto j) { acc[i * columns + j] = mul_add(a_p, b_p[j], acc[i * columns + j]); });
    });
  });
  alignas(64) Real sums[V::size];
  sum_each(acc).store_aligned(sums);
  for (Index i = 0; i < rows && i < m; ++i) {
    Real* c = out.c + i * out.ldc;
    Real* sum = sums + i * columns;
    if (out.bias || out.accumulate) {
      for (Index j = 0; j < n; ++j) sum[j] += (out.bias ? out.bias[j] : 0) + (out.accumulate ? c[j] : 0);
    }
    if (n == columns) {
      __builtin_memcpy(c, sum, sizeof(Real) * columns);
    } else {
      for (Index j = 0; j < n; ++j) c[j] = sum[j];
    }
  }
}

/// The same for any number of rows.
template <class V, int columns>
void dots(Index m, Index n, Index k, const Real* a, Index lda, const Real* b, Index ldb, TileOutput out) {
  constexpr int rows = V::size / columns;
  for (; m > 0; m -= rows, a += rows * lda, advance(out, rows)) {
    if (rows > 4 && m <= 4) {
      dot_block<V, columns, (rows > 4 ? 4 : rows)>(m, n, k, a, lda, b, ldb, out);
    } else {
      dot_block<V, columns, rows>(m, n, k, a, lda, b, ldb, out);
    }
  }
}

}  // namespace
}  // namespace rill::simd
