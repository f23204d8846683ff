// Every kind of kernel on every instruction set of this CPU: GFLOP/s and their share of the measured multiply-add peak,
// or bytes/s and the measured bandwidth of a copy.
//   bench/bench_kernels --benchmark_filter='gemm/avx2'
#include "autodiff/simd/kernels.hpp"

#include <benchmark/benchmark.h>

#include <ctime>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/memory.hpp"
#include "bench/probe.hpp"

namespace rill::bench {
namespace {

using simd::Kernels;
using Array = std::vector<Real, memory::Allocator<Real>>;

Array numbers(Index n) {
  Array x(static_cast<std::size_t>(n));
  simd::kernels().random_uniform({1, 0, 0}, n, x.data());
  return x;
}

void gemm(benchmark::State& state, const Kernels& kernels, bool transpose_a, bool transpose_b, Index m, Index n,
          Index k) {
  const Array a = numbers(m * k), b = numbers(k * n);
  Array c(static_cast<std::size_t>(m * n));
  const simd::Gemm g = {transpose_a, transpose_b,         m,       n,     k,        a.data(), transpose_a ? m : k,
                        b.data(),    transpose_b ? k : n, nullptr, false, c.data(), n};
  Array workspace(static_cast<std::size_t>(kernels.gemm_workspace(g)));
  const std::clock_t start = std::clock();
  for (auto _ : state) {
    kernels.gemm(g, workspace.data());
    benchmark::ClobberMemory();
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const double flops = 2. * static_cast<double>(m * n * k) * static_cast<double>(state.iterations()) / seconds;
  state.counters["GFLOP/s"] = flops * 1e-9;
  state.counters["of_peak"] = flops / peak_flops(kernels.name);
}

// Of copying arrays of this many numbers, measured once.
double copy_bandwidth_of(Index n) {
  static std::map<Index, double> measured;
  const auto [entry, added] = measured.try_emplace(n);
  if (added) entry->second = copy_bandwidth(n * static_cast<Index>(sizeof(Real)));
  return entry->second;
}

// `bytes`: how many each element reads and writes.
template <class Run>
void elements(benchmark::State& state, Index n, Index bytes, const Run& run) {
  const std::clock_t start = std::clock();
  for (auto _ : state) {
    run();
    benchmark::ClobberMemory();
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const double each = seconds / static_cast<double>(state.iterations() * n);
  state.SetBytesProcessed(state.iterations() * n * bytes);
  state.counters["ns"] = 1e9 * each;  // per number
  state.counters["of_copy"] = static_cast<double>(bytes) / each / copy_bandwidth_of(n);
}

void register_all(const Kernels& kernels) {
  const std::string set = kernels.name;
  const struct {
    const char* name;
    bool transpose_a, transpose_b;
    Index m, n, k;
  } products[] = {
      {"NT", false, true, 256, 64, 3},     {"NT", false, true, 256, 64, 64},       {"NT", false, true, 256, 2, 64},
      {"NN", false, false, 256, 64, 64},   {"NN", false, false, 256, 64, 2},       {"NN", false, false, 256, 2, 64},
      {"TN", true, false, 64, 64, 256},    {"TN", true, false, 64, 3, 256},        {"TN", true, false, 2, 64, 256},
      {"NT", false, true, 1024, 512, 512}, {"TN", true, false, 512, 512, 1024},    {"NN", false, false, 256, 256, 256},
      {"NN", false, false, 512, 512, 512}, {"NN", false, false, 1024, 1024, 1024}, {"NN", false, false, 128, 1024, 784},
      {"NN", false, false, 8192, 64, 64},  {"NN", false, false, 1, 512, 512},      {"NT", false, true, 1, 512, 512},
  };
  for (const auto& p : products) {
    const std::string name = "gemm/" + set + '/' + p.name + '/' + std::to_string(p.m) + 'x' + std::to_string(p.n) +
                             'x' + std::to_string(p.k);
    benchmark::RegisterBenchmark(name.c_str(), [=, &kernels](benchmark::State& state) {
      gemm(state, kernels, p.transpose_a, p.transpose_b, p.m, p.n, p.k);
    });
  }

  constexpr Index n = 256 * 64;  // the activations of a layer of 64 for a batch of 256: in L2
  const auto add = [&](const char* name, Index bytes, auto run) {
    benchmark::RegisterBenchmark((std::string(name) + '/' + set).c_str(), [=](benchmark::State& state) {
      Array x = numbers(n), y = numbers(n), z = numbers(n), w = numbers(n);
      elements(state, n, bytes, [&] { run(x.data(), y.data(), z.data(), w.data()); });
    });
  };
  constexpr Index size = sizeof(Real);
  // Functions of one number, where they are compared with copies from the same cache: 16 KB arrays stay in L1.
  using Call = void (*)(const Kernels& kernels, Index count, const Real* x, Real* y);
  const struct {
    const char* name;
    Call call;
  } functions[] = {
      {"exp", [](const Kernels& k, Index count, const Real* x, Real* y) { k.exp(count, x, y); }},
      {"log", [](const Kernels& k, Index count, const Real* x, Real* y) { k.log(count, x, y); }},
      {"sqrt", [](const Kernels& k, Index count, const Real* x, Real* y) { k.sqrt(count, x, y); }},
      {"square", [](const Kernels& k, Index count, const Real* x, Real* y) { k.square(count, x, y); }},
      {"sin", [](const Kernels& k, Index count, const Real* x, Real* y) { k.sin(count, x, y); }},
      {"cos", [](const Kernels& k, Index count, const Real* x, Real* y) { k.cos(count, x, y); }},
      {"tanh", [](const Kernels& k, Index count, const Real* x, Real* y) { k.tanh(count, x, y); }},
      {"relu", [](const Kernels& k, Index count, const Real* x, Real* y) { k.relu(count, x, y); }},
      {"sigmoid", [](const Kernels& k, Index count, const Real* x, Real* y) { k.sigmoid(count, x, y); }},
      {"softplus", [](const Kernels& k, Index count, const Real* x, Real* y) { k.softplus(count, x, y); }},
      {"gelu", [](const Kernels& k, Index count, const Real* x, Real* y) { k.gelu(count, x, y); }},
      {"gelu_tanh", [](const Kernels& k, Index count, const Real* x, Real* y) { k.gelu_tanh(count, x, y); }},
      {"silu", [](const Kernels& k, Index count, const Real* x, Real* y) { k.silu(count, x, y); }},
      {"elu", [](const Kernels& k, Index count, const Real* x, Real* y) { k.elu(count, x, 1, 1, y); }},
  };
  for (const auto& f : functions) {
    for (const auto& [level, count] : {std::pair<const char*, Index>{"L1", (1 << 14) / size}, {"L2", n}}) {
      benchmark::RegisterBenchmark((std::string(f.name) + '/' + level + '/' + set).c_str(),
                                   [call = f.call, count = count, &kernels](benchmark::State& state) {
                                     const Array x = numbers(count);
                                     Array y = x;
                                     elements(state, count, 2 * size,
                                              [&] { call(kernels, count, x.data(), y.data()); });
                                   });
    }
  }
  add("pow_1.5", 2 * size, [&](Real* x, Real* y, Real*, Real*) { kernels.pow(n, x, Real(1.5), y); });
  add("silu_gradient", 3 * size, [&](Real* x, Real* y, Real* z, Real*) { kernels.silu_gradient(n, x, y, z); });
  add("add", 3 * size, [&](Real* x, Real* y, Real* z, Real*) { kernels.add(1, n, {x, n, 1}, {y, n, 1}, z); });
  add("multiply_column/256x2", 3 * size, [&](Real* x, Real* y, Real* z, Real*) {
    for (Index i = 0; i < n; i += 512) kernels.multiply(256, 2, {x + i, 2, 1}, {y, 1, 0}, z + i);
  });
  add("adam", 7 * size, [&](Real* x, Real* y, Real* z, Real* w) {
    kernels.adam(n, x, {1, Real(0.1), Real(0.001), Real(1e-3), Real(2), Real(1e-8), 0, 0}, y, z, w, nullptr);
  });
  add("sum", size, [&](Real* x, Real* y, Real*, Real*) { kernels.sum(1, n, 1, x, y); });
  add("sum_columns/256x64", size, [&](Real* x, Real* y, Real*, Real*) { kernels.sum(1, 256, 64, x, y); });
  add("sum_columns/8192x2", size, [&](Real* x, Real* y, Real*, Real*) { kernels.sum(1, 8192, 2, x, y); });
  add("sum_rows/8192x2", size, [&](Real* x, Real* y, Real*, Real*) { kernels.sum(8192, 2, 1, x, y); });
  add("dot", 2 * size, [&](Real* x, Real* y, Real*, Real*) { benchmark::DoNotOptimize(kernels.dot(n, x, y)); });
  add("softmax/256x64", 2 * size, [&](Real* x, Real* y, Real*, Real*) { kernels.softmax(256, 64, x, y); });
  add("softmax/1638x10", 2 * size, [&](Real* x, Real* y, Real*, Real*) { kernels.softmax(1638, 10, x, y); });
  add("softmax/8192x2", 2 * size, [&](Real* x, Real* y, Real*, Real*) { kernels.softmax(8192, 2, x, y); });
  add("logsumexp/16x1024", size, [&](Real* x, Real* y, Real*, Real*) { kernels.logsumexp(16, 1024, x, y); });
  add("transpose/256x64", 2 * size, [&](Real* x, Real* y, Real*, Real*) { kernels.transpose(256, 64, x, y); });
  add("random_uniform", size, [&](Real* x, Real*, Real*, Real*) { kernels.random_uniform({1, 2, 3}, n, x); });
  add("random_uniform/512", size, [&](Real* x, Real*, Real*, Real*) {
    for (Index i = 0; i < n; i += 512) kernels.random_uniform({1, 2, 3}, 512, x + i);
  });
  add("random_normal", size, [&](Real* x, Real*, Real*, Real*) { kernels.random_normal({1, 2, 3}, n, x); });
  add("random_normal/512", size, [&](Real* x, Real*, Real*, Real*) {
    for (Index i = 0; i < n; i += 512) kernels.random_normal({1, 2, 3}, 512, x + i);
  });
}

}  // namespace
}  // namespace rill::bench

int main(int argc, char** argv) {
  for (const auto* kernels : rill::simd::available_kernels()) {
    rill::bench::register_all(*kernels);
    benchmark::AddCustomContext("peak GFLOP/s, " + std::string(kernels->name),
                                std::to_string(rill::bench::peak_flops(kernels->name) * 1e-9));
  }
  for (const auto& [name, bytes] : {std::pair{"32 KB", 1 << 15}, {"512 KB", 1 << 19}, {"64 MB", 1 << 26}}) {
    benchmark::AddCustomContext("copy GB/s, " + std::string(name),
                                std::to_string(rill::bench::copy_bandwidth(bytes / 2) * 1e-9));
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
