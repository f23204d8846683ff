// Single ops as a user calls them, the result's memory included.
//   bench/bench_ops --benchmark_filter=silu
#include "autodiff/ops.hpp"

#include <benchmark/benchmark.h>

#include "autodiff/operation_count.hpp"
#include "autodiff/random.hpp"
#include "bench/counters.hpp"

namespace rill::bench {
namespace {

std::string times(Index m, Index n) { return std::to_string(m) + 'x' + std::to_string(n); }

// Row-major, nothing transposed.   [m, k] x [k, n]
void product(benchmark::State& state, Index m, Index n, Index k) {
  Generator rng(0);
  const Tensor a = Tensor::randn({m, k}, rng), b = Tensor::randn({k, n}, rng);
  const std::uint64_t before = operation_count();
  for (auto _ : state) benchmark::DoNotOptimize(matmul(a, b));
  count_flops(state, operation_count() - before);
}

void elementwise(benchmark::State& state, Tensor (*op)(const Tensor&), const Shape& shape) {
  Generator rng(0);
  const Tensor x = Tensor::randn(shape, rng);
  for (auto _ : state) benchmark::DoNotOptimize(op(x));
  const Index bytes = 2 * x.size() * static_cast<Index>(sizeof(Real));
  count_bytes(state, bytes, bytes);
}

const bool kRegistered = [] {
  constexpr Index sizes[][3] = {{256, 64, 3},    {256, 64, 64},      {64, 64, 256},    {256, 2, 64},  {256, 256, 256},
                                {512, 512, 512}, {1024, 1024, 1024}, {128, 1024, 784}, {8192, 64, 64}};
  for (const auto& [m, n, k] : sizes) {
    register_work("matmul/" + times(m, n) + 'x' + std::to_string(k),
                  [m = m, n = n, k = k](benchmark::State& state) { product(state, m, n, k); });
  }
  const struct {
    const char* name;
    Tensor (*op)(const Tensor&);
  } ops[] = {{"silu", silu}, {"exp", exp}, {"softmax", softmax}};
  for (const auto& [name, op] : ops) {
    for (const Shape& shape : {Shape{256, 64}, Shape{4096, 512}}) {
      register_work(std::string(name) + '/' + times(shape[0], shape[1]),
                    [op = op, shape](benchmark::State& state) { elementwise(state, op, shape); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace rill::bench

BENCHMARK_MAIN();
