// Exact assignment of n points of noise to n points uniform in a cube, the matrix of squared distances included.
//   bench/bench_assignment
#include "flow/transport/assignment.hpp"

#include <benchmark/benchmark.h>

#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "bench/counters.hpp"

namespace rill::bench {
namespace {

// How long one takes depends on the points, so several sets take turns.
void assignment(benchmark::State& state, Index dimension, Index n) {
  constexpr std::size_t kSets = 8;
  Generator rng(0);
  std::vector<Tensor> x_0, x_1;
  for (std::size_t i = 0; i < kSets; ++i) {
    x_0.push_back(Tensor::randn({n, dimension}, rng));
    x_1.push_back(2 * Tensor::rand({n, dimension}, rng) - 1);
  }
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(flow::optimal_assignment(x_0[i], x_1[i]).data());
    i = (i + 1) % kSets;
  }
}

const bool kRegistered = [] {
  for (const Index dimension : {2, 784}) {
    for (const Index n : {128, 256, 512, 1024}) {
      register_work("assignment/" + std::to_string(dimension) + "d/" + std::to_string(n),
                    [=](benchmark::State& state) { assignment(state, dimension, n); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace rill::bench

BENCHMARK_MAIN();
