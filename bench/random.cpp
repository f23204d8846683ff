// Random numbers, in the small amounts that training draws and in bulk.
//   bench/bench_random
#include "autodiff/random.hpp"

#include <benchmark/benchmark.h>

#include "autodiff/tensor.hpp"
#include "bench/counters.hpp"

namespace rill::bench {
namespace {

void numbers(benchmark::State& state, Tensor (*draw)(const Shape&, Generator&), Index n) {
  Generator rng(0);
  for (auto _ : state) benchmark::DoNotOptimize(draw({n}, rng));
  state.SetItemsProcessed(state.iterations() * n);
}

const bool kRegistered = [] {
  for (const Index n : {512, 1'000'000}) {
    register_work("rand/" + std::to_string(n), [n](benchmark::State& state) { numbers(state, Tensor::rand, n); });
    register_work("randn/" + std::to_string(n), [n](benchmark::State& state) { numbers(state, Tensor::randn, n); });
  }
  return true;
}();

}  // namespace
}  // namespace rill::bench

BENCHMARK_MAIN();
