// Attention as an op, of N images, T queries and as many keys, C channels and some heads: names are NxTxCxHEADS.
// `attention` is the forward pass, without a graph; `attention_step` is forward and backward. The operations counted
// are two products forward and four backward; recomputation in the backward pass does not count.
//   bench/bench_attention --benchmark_filter=step
#include <benchmark/benchmark.h>

#include "autodiff/graph.hpp"
#include "autodiff/operation_count.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "bench/counters.hpp"

namespace rill::bench {
namespace {

struct Sizes {
  Index images, places, channels, heads;
};

// Runs forward(q, k, v) and, if `step`, its gradients.
void run(benchmark::State& state, const Sizes& sizes, bool step) {
  Generator rng(0);
  const Shape shape = {sizes.images, sizes.places, sizes.channels};
  std::vector<Tensor> inputs;
  for (int i = 0; i < 3; ++i) inputs.push_back(Tensor::randn(shape, rng).set_requires_grad(step));
  const Tensor gy = Tensor::randn(shape, rng);
  const std::uint64_t before = operation_count();
  for (auto _ : state) {
    const Tensor y = attention(inputs[0], inputs[1], inputs[2], sizes.heads);
    if (step) grad({y}, inputs, {}, {gy});
    benchmark::DoNotOptimize(y.data());
  }
  count_flops(state, operation_count() - before);
}

// The U-Net's at 28 x 28 and 7 x 7 places, and a transformer's on 14 x 14, 7 x 7 and 4 x 4 patches.
const bool kRegistered = [] {
  for (const Sizes& sizes : {Sizes{128, 784, 32, 1}, Sizes{128, 49, 64, 1}, Sizes{128, 196, 64, 4},
                             Sizes{128, 49, 128, 4}, Sizes{128, 16, 128, 2}}) {
    const std::string name = std::to_string(sizes.images) + 'x' + std::to_string(sizes.places) + 'x' +
                             std::to_string(sizes.channels) + 'x' + std::to_string(sizes.heads);
    register_work("attention/" + name, [=](benchmark::State& state) { run(state, sizes, false); });
    register_work("attention_step/" + name, [=](benchmark::State& state) { run(state, sizes, true); });
  }
  return true;
}();

}  // namespace
}  // namespace rill::bench

BENCHMARK_MAIN();
