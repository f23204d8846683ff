// Matrix products compared with oneDNN and OpenBLAS, alternating in one process, one thread: the share of the
// multiply-add peak that each reaches, and ours over the best of theirs.
//   bench/bench_products table          the shapes of networks, all transpositions
//   bench/bench_products grid           {1, 2, 3, 8, 17, 64, 100, 256, 1000} cubed, all transpositions
//   bench/bench_products 256x64x64 NT   one product: m x n x k
// For AVX2 on all sides: RILL_ISA=avx2 DNNL_MAX_CPU_ISA=AVX2 OPENBLAS_CORETYPE=Haswell.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif
#ifdef RILL_BENCH_DNNL
#include <dnnl.h>
#endif
#ifdef RILL_BENCH_OPENBLAS
#include <cblas.h>
#endif

#include "autodiff/memory.hpp"
#include "autodiff/simd/kernels.hpp"
#include "bench/probe.hpp"

namespace rill::bench {
namespace {

using Array = std::vector<Real, memory::Allocator<Real>>;
using Clock = std::chrono::steady_clock;

struct Contender {
  const char* name;
  std::function<void(const simd::Gemm&, Real* workspace)> run;
};

const std::vector<Contender>& contenders() {
  static const std::vector<Contender> all = {
      {"rill", [](const simd::Gemm& g, Real* workspace) { simd::kernels().gemm(g, workspace); }},
#ifdef RILL_BENCH_DNNL
      {"oneDNN",
       [](const simd::Gemm& g, Real*) {
         dnnl_sgemm(g.transpose_a ? 'T' : 'N', g.transpose_b ? 'T' : 'N', g.m, g.n, g.k, 1, g.a, g.lda, g.b, g.ldb, 0,
                    g.c, g.ldc);
       }},
#endif
#ifdef RILL_BENCH_OPENBLAS
      {"OpenBLAS",
       [](const simd::Gemm& g, Real*) {
         const auto size = [](Index n) { return static_cast<blasint>(n); };
         cblas_sgemm(CblasRowMajor, g.transpose_a ? CblasTrans : CblasNoTrans,
                     g.transpose_b ? CblasTrans : CblasNoTrans, size(g.m), size(g.n), size(g.k), 1, g.a, size(g.lda),
                     g.b, size(g.ldb), 0, g.c, size(g.ldc));
       }},
#endif
  };
  return all;
}

// The contenders' rates in FLOP/s. They take turns, a fraction of a millisecond each; the best turn counts, as whatever
// disturbs one makes it longer.
std::vector<double> rates(bool transpose_a, bool transpose_b, Index m, Index n, Index k, int turns) {
  const auto numbers = [](Index count) {
    Array x(static_cast<std::size_t>(count));
    simd::kernels().random_uniform({1, 0, 0}, count, x.data());
    return x;
  };
  const Array a = numbers(m * k), b = numbers(k * n);
  Array c(static_cast<std::size_t>(m * n));
  simd::Gemm g{};
  g.transpose_a = transpose_a, g.transpose_b = transpose_b;
  g.m = m, g.n = n, g.k = k;
  g.a = a.data(), g.lda = transpose_a ? m : k;
  g.b = b.data(), g.ldb = transpose_b ? k : n;
  g.c = c.data(), g.ldc = n;
  Array workspace(static_cast<std::size_t>(simd::kernels().gemm_workspace(g)));
  const double flops = 2. * static_cast<double>(m * n * k);
  const int calls = std::max(1, static_cast<int>(4e7 / (flops + 2e3)));  // some 0.2 ms
  std::vector<double> best(contenders().size());
  for (int turn = -1; turn < turns; ++turn) {
    for (std::size_t i = 0; i < contenders().size(); ++i) {
      const auto start = Clock::now();
      for (int call = 0; call < calls; ++call) contenders()[i].run(g, workspace.data());
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      if (turn >= 0) best[i] = std::max(best[i], flops * calls / seconds);
    }
  }
  return best;
}

// Of libraries that were there when this was built, if any.
bool has_peers() { return contenders().size() > 1; }
double best_peer(const std::vector<double>& rate) { return *std::max_element(rate.begin() + 1, rate.end()); }
double ratio(const std::vector<double>& rate) { return rate[0] / best_peer(rate); }

const char* letters(bool transpose_a, bool transpose_b) {
  return transpose_a ? (transpose_b ? "TT" : "TN") : (transpose_b ? "NT" : "NN");
}

void header() {
  std::printf("| product | m x n x k |");
  for (const Contender& contender : contenders()) std::printf(" %s, %% of peak |", contender.name);
  std::printf("%s\n| --- | --- |", has_peers() ? " rill / best peer |" : "");
  for (std::size_t i = 0; i < contenders().size() + has_peers(); ++i) std::printf(" --- |");
  std::printf("\n");
}

std::vector<double> row(bool transpose_a, bool transpose_b, Index m, Index n, Index k, int turns) {
  const std::vector<double> rate = rates(transpose_a, transpose_b, m, n, k, turns);
  std::printf("| %s | %lld x %lld x %lld |", letters(transpose_a, transpose_b), static_cast<long long>(m),
              static_cast<long long>(n), static_cast<long long>(k));
  for (const double r : rate) std::printf(" %.1f |", 100 * r / peak_flops(simd::kernels().name));
  if (has_peers()) std::printf(" %.2f |", ratio(rate));
  std::printf("\n");
  std::fflush(stdout);
  return rate;
}

void table() {
  header();
  const Index shapes[][3] = {{256, 64, 3},    {256, 64, 64},   {64, 64, 256},      {256, 2, 64},     {256, 3, 64},
                             {256, 256, 256}, {512, 512, 512}, {1024, 1024, 1024}, {128, 1024, 784}, {8192, 64, 64}};
  for (const auto& [m, n, k] : shapes) {
    for (int t = 0; t < 4; ++t) row(t >= 2, t % 2 == 1, m, n, k, 31);
  }
}

// All transpositions of all sizes; shows the products where a peer is more than a tenth faster.
void grid() {
  if (!has_peers()) {
    std::printf("No library to compare with is in this build (`tools/install-packages.sh peers`).\n");
    return;
  }
  const Index sizes[] = {1, 2, 3, 8, 17, 64, 100, 256, 1000};
  int products = 0, slower = 0;
  std::vector<double> ratios;
  header();
  for (const Index m : sizes) {
    for (const Index n : sizes) {
      for (const Index k : sizes) {
        for (int t = 0; t < 4; ++t) {
          const bool transpose_a = t >= 2, transpose_b = t % 2 == 1;
          std::vector<double> rate = rates(transpose_a, transpose_b, m, n, k, 5);
          if (rate[0] < 0.9 * best_peer(rate)) rate = rates(transpose_a, transpose_b, m, n, k, 31);
          ratios.push_back(ratio(rate));
          ++products;
          if (ratios.back() < 0.9 && ratio(row(transpose_a, transpose_b, m, n, k, 31)) < 0.9) ++slower;
        }
      }
    }
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("\n%d products; a peer is more than a tenth faster in %d; rill / best peer: least %.2f, median %.2f\n",
              products, slower, ratios.front(), ratios[ratios.size() / 2]);
}

}  // namespace
}  // namespace rill::bench

int main(int argc, char** argv) {
  using namespace rill::bench;
#ifdef _OPENMP
  omp_set_num_threads(1);  // oneDNN's
#endif
#ifdef RILL_BENCH_OPENBLAS
  openblas_set_num_threads(1);
#endif
  const std::string what = argc > 1 ? argv[1] : "table";
  std::printf("%s, peak %.1f GFLOP/s\n\n", rill::simd::kernels().name, peak_flops(rill::simd::kernels().name) * 1e-9);
  long long m = 0, n = 0, k = 0;
  if (what == "table") {
    table();
  } else if (what == "grid") {
    grid();
  } else if (std::sscanf(what.c_str(), "%lldx%lldx%lld", &m, &n, &k) == 3) {
    const char* t = argc > 2 ? argv[2] : "NN";
    header();
    row(t[0] == 'T', std::strlen(t) > 1 && t[1] == 'T', m, n, k, 101);
  } else {
    std::fprintf(stderr, "bench_products: '%s' is not table, grid or m x n x k, such as 256x64x64 NT\n", what.c_str());
    return 2;
  }
}
