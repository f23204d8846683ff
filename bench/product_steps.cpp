// The matrix product step by step, from three loops to the actual kernel: the gain of each step, as a Markdown table
// (docs/kernels.md holds one). One thread, C = A B.
//   bench/bench_product_steps_avx512, bench/bench_product_steps_avx2
// Compiled once per instruction set, like the kernels, from whose parts the steps are built.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "autodiff/memory.hpp"
#include "autodiff/simd/gemm-inl.hpp"
#include "autodiff/simd/set-inl.hpp"
#include "bench/probe.hpp"

namespace rill::simd {
namespace {

using Array = std::vector<Real, memory::Allocator<Real>>;
using V = Registers;

// Three loops: each element of C is a sum that runs down a column of B.
void three_loops(const Gemm& g, Real*) {
  for (Index i = 0; i < g.m; ++i) {
    for (Index j = 0; j < g.n; ++j) {
      Real sum = 0;
      for (Index p = 0; p < g.k; ++p) sum += g.a[i * g.lda + p] * g.b[p * g.ldb + j];
      g.c[i * g.ldc + j] = sum;
    }
  }
}

// The inner two exchanged: numbers are read in the order in which they lie in memory, and the compiler uses registers.
void rows_of_b(const Gemm& g, Real*) {
  for (Index i = 0; i < g.m; ++i) {
    Real* c = g.c + i * g.ldc;
    for (Index j = 0; j < g.n; ++j) c[j] = 0;
    for (Index p = 0; p < g.k; ++p) {
      const Real a = g.a[i * g.lda + p];
      const Real* b = g.b + p * g.ldb;
      for (Index j = 0; j < g.n; ++j) c[j] += a * b[j];
    }
  }
}

// A register tile of C, its operands read where they are. `rows` = 1: one register, one sum at a time.
template <int rows, int width>
void tiles_in_place(const Gemm& g, Real*) {
  for (Index j = 0; j < g.n; j += width * kLanes<V>) {
    for (Index i = 0; i < g.m; i += rows) {
      tile<V, rows, width, false, false>(g.k, g.a + i * g.lda, g.lda, g.b + j, g.ldb,
                                         {g.c + i * g.ldc + j, g.ldc, nullptr, false, kLanes<V>});
    }
  }
}

// One block of everything: B in panels, then A in tiles too.
template <bool pack_a>
void packed(const Gemm& g, Real* workspace) {
  constexpr Index kWidth = kTileWidth * kLanes<V>;
  Real* b = workspace;
  Real* a = workspace + g.k * g.n;
  pack_b_block<V>(false, g.n, g.k, g.b, g.ldb, kTileWidth, b);
  if (pack_a) pack_a_block<V>(false, g.m, g.k, g.a, g.lda, a);
  constexpr LayoutA kLayout = pack_a ? LayoutA::kPacked : LayoutA::kRows;
  for (Index j = 0; j < g.n; j += kWidth) {
    panel_product<V, kLayout, false, kTileWidth>(kTileWidth, g.m, g.k, pack_a ? a : g.a, g.lda, b + j * g.k, kWidth,
                                                 {g.c + j, g.ldc, nullptr, false, kLanes<V>});
  }
}

void in_force(const Gemm& g, Real* workspace) { gemm<V>(g, workspace); }

double flops(void (*run)(const Gemm&, Real*), const Gemm& g, Real* workspace) {
  using Clock = std::chrono::steady_clock;
  double best = 1e300;
  for (const auto stop = Clock::now() + std::chrono::milliseconds(300); Clock::now() < stop;) {
    const auto start = Clock::now();
    run(g, workspace);
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return 2. * static_cast<double>(g.m * g.n * g.k) / best;
}

int print_table(const char* set) {
  // Multiples of every tile's height and width, so that each step is as simple as it is written here.
  const Index sizes[][3] = {{252, 64, 64}, {504, 512, 512}, {1008, 1024, 1024}, {1008, 1024, 4096}};
  const struct {
    const char* name;
    void (*run)(const Gemm&, Real*);
  } steps[] = {{"three loops", three_loops},
               {"the inner two swapped", rows_of_b},
               {"one register of C at a time", tiles_in_place<1, 1>},
               {"a tile of registers", tiles_in_place<kTileRows, kTileWidth>},
               {"B packed in panels", packed<false>},
               {"A packed in tiles", packed<true>},
               {"blocks of k and of rows: the kernel", in_force}};
  const double peak = bench::peak_flops(set);
  std::printf("%% of the multiply-add peak, %s, %.0f GFLOP/s\n\n| m x n x k |", set, peak * 1e-9);
  for (const auto& [m, n, k] : sizes) {
    std::printf(" %lld x %lld x %lld |", static_cast<long long>(m), static_cast<long long>(n),
                static_cast<long long>(k));
  }
  std::printf("\n| --- | --- | --- | --- | --- |\n");
  for (const auto& step : steps) {
    std::printf("| %s |", step.name);
    for (const auto& [m, n, k] : sizes) {
      Array a(static_cast<std::size_t>(m * k), Real(0.5)), b(static_cast<std::size_t>(k * n), Real(0.5));
      Array c(static_cast<std::size_t>(m * n)), workspace(static_cast<std::size_t>(k * n + m * k + 4096));
      Gemm g{};
      g.m = m, g.n = n, g.k = k;
      g.a = a.data(), g.lda = k, g.b = b.data(), g.ldb = n, g.c = c.data(), g.ldc = n;
      std::printf(" %.1f |", 100 * flops(step.run, g, workspace.data()) / peak);
      std::fflush(stdout);
    }
    std::printf("\n");
  }
  return 0;
}

}  // namespace
}  // namespace rill::simd

int main() { return rill::simd::print_table(RILL_BENCH_SET); }
