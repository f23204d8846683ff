// Products that are too thin for tiles: dot products, and sums of rows of B.
#pragma once

#include "autodiff/simd/gemm-tile-inl.hpp"
#include "autodiff/simd/gemm.hpp"

namespace rill::simd {
namespace {

// ---------------------------------------------------------------------------------------------------------------------
// Dot products

/// `columns` dot products at a time for each row of A; fewer at the end.
template <class V, int columns>
void gemm_dots(const Gemm& g, Index j = 0) {
  if constexpr (columns > 1) {
    if (g.n - j <= columns / 2) return gemm_dots<V, columns / 2>(g, j);
  }
  for (; g.n - j > columns / 2; j += columns) {
    dots<V, columns>(g.m, smaller(columns, g.n - j), g.k, g.a, g.lda, g.b + j * g.ldb, g.ldb,
                     {g.c + j, g.ldc, g.bias ? g.bias + j : nullptr, g.accumulate, 0});
  }
  if constexpr (columns > 1) {
    if (j < g.n) gemm_dots<V, columns / 2>(g, j);
  }
}

/// First transposes A and B, if necessary, to be contiguous along k.
template <class V>
void gemm_dots(Gemm g, Real* workspace) {
  if (!g.transpose_b) {
    transpose_matrix<V>(g.k, g.n, g.b, g.ldb, workspace, g.k);
    g.b = workspace, g.ldb = g.k;
    workspace += g.n * g.k;
  }
  if (g.transpose_a) {
    transpose_matrix<V>(g.k, g.m, g.a, g.lda, workspace, g.k);
    g.a = workspace, g.lda = g.k;
  }
  // Up to four rows, and as many columns as fill a register with their products.
  constexpr int L = V::size;
  if (g.m == 1) return gemm_dots<V, L>(g);
  if (g.m == 2) return gemm_dots<V, L / 2>(g);
  constexpr int kColumns = L < 4 ? L : 4;
  gemm_dots<V, kColumns>(g);
}

// ---------------------------------------------------------------------------------------------------------------------
// Sums of a few rows of B

/// The most rows of B that are added up at a time.
constexpr Index kMostTerms = 8;

/// `rows` rows of C, one register wide: c[i] += or = sum_p a[i, p] b[p] + bias over `terms` rows of B.
template <class V, int terms, int rows, class Part>
void add_rows(const V (&a)[rows][terms], const V (&b)[terms], V bias, bool accumulate, Real* c, Index ldc, Part part) {
  unroll<rows>([&](auto r) {
    V sum = accumulate ? V(part.load(c + r * ldc) + bias) : bias;
    unroll<terms>([&](auto p) { sum = mul_add(a[r][p], b[p], sum); });
    part.store(c + r * ldc, sum);
  });
}

/// All of C, from `terms` rows of B, as many as A has columns. Long rows of C are written in order, a few together that
/// share what is loaded of B; with short rows, B stays in registers.
template <class V, int terms>
[[gnu::flatten]] void gemm_terms(const Gemm& g, const Real* b, Index ldb) {
  const Index m = g.m, n = g.n, ldc = g.ldc;
  const Index row = g.transpose_a ? 1 : g.lda, column = g.transpose_a ? g.lda : 1;
  const Real *const a = g.a, *const bias = g.bias;
  Real* const c = g.c;
  const bool accumulate = g.accumulate;
  const auto load_a = [=](Index i, auto rows, auto& numbers) {
    unroll<rows>([&](auto r) { unroll<terms>([&](auto p) { numbers[r][p] = V(a[(i + r) * row + p * column]); }); });
  };
  const auto load_b = [=](Index j, auto part, V(&numbers)[terms]) {
    unroll<terms>([&](auto p) { numbers[p] = part.load(b + p * ldb + j); });
    return bias ? part.load(bias + j) : V(0);
  };
  if (n <= 2 * kLanes<V>) {
    for_registers<V>(n, [=](Index j, auto part) {
      V b_j[terms], a_i[1][terms];
      const V bias_j = load_b(j, part, b_j);
      Real* to = c + j;
      for (Index i = 0; i < m; ++i, to += ldc) {
        load_a(i, Constant<1>{}, a_i);
        add_rows<V, terms, 1>(a_i, b_j, bias_j, accumulate, to, ldc, part);
      }
    });
    return;
  }
  const auto rows_at = [=](Index i, auto rows) {
    V a_i[rows][terms];
    load_a(i, rows, a_i);
    for_registers<V>(n, [=](Index j, auto part) {
      V b_j[terms];
      const V bias_j = load_b(j, part, b_j);
      add_rows<V, terms, rows>(a_i, b_j, bias_j, accumulate, c + i * ldc + j, ldc, part);
    });
  };
  constexpr int kTogether = terms <= 4 ? 4 : 2;  // their numbers of A all fit into registers
  Index i = 0;
  for (; i + kTogether <= m; i += kTogether) rows_at(i, Constant<kTogether>{});
  if (m - i == 3) rows_at(i, Constant<3>{});
  if (m - i == 2) rows_at(i, Constant<2>{});
  if (m - i == 1) rows_at(i, Constant<1>{});
}
template <class V, int most>
void gemm_few_terms(const Gemm& g, const Real* b, Index ldb) {
  if constexpr (most > 1) {
    if (g.k < most) return gemm_few_terms<V, most - 1>(g, b, ldb);
  }
  gemm_terms<V, most>(g, b, ldb);
}

template <class V>
void gemm_rows(const Gemm& g, Real* workspace) {
  const Real* b = g.b;
  Index ldb = g.ldb;
  if (g.transpose_b) {
    transpose_matrix<V>(g.n, g.k, b, ldb, workspace, g.n);
    b = workspace, ldb = g.n;
  }
  constexpr Index kBlock = 64;  // rows that the caller finishes while they are in cache
  for (Index i = 0; i < g.m; i += kBlock) {
    Gemm rows = g;
    rows.m = smaller(kBlock, g.m - i);
    rows.a += i * (g.transpose_a ? 1 : g.lda);
    rows.c += i * g.ldc;
    const Real* b_p = b;
    for (Index rest = g.k; rest > 0; rest -= rows.k) {
      rows.k = smaller(rest, kMostTerms);
      gemm_few_terms<V, kMostTerms>(rows, b_p, ldb);
      rows.a += rows.k * (g.transpose_a ? g.lda : 1);
      rows.accumulate = true;
      rows.bias = nullptr;
      b_p += rows.k * ldb;
    }
    if (g.finish) g.finish(g.context, i, i + rows.m);
  }
}

}  // namespace
}  // namespace rill::simd
