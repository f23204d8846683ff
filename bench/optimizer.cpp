// A step of Adam and of the weights' average on a million parameters.
//   bench/bench_optimizer
#include "nn/optimizer.hpp"

#include <benchmark/benchmark.h>

#include "autodiff/random.hpp"
#include "bench/counters.hpp"
#include "nn/ema.hpp"

namespace rill::bench {
namespace {

// Sixteen parameters of 256 x 256, as in a network. At least: gradient, two moments, parameter and average are read,
// all but the gradient are written.
void adam_ema(benchmark::State& state) {
  constexpr Index kTensors = 16, kSide = 256;
  Generator rng(0);
  nn::NamedTensors parameters;
  for (Index i = 0; i < kTensors; ++i) {
    Tensor parameter = Tensor::randn({kSide, kSide}, rng);
    parameter.set_requires_grad();
    parameter.set_grad(Tensor::randn({kSide, kSide}, rng));
    parameters.push_back({std::to_string(i), parameter});
  }
  const auto optimizer = nn::make_optimizer({.kind = "adam"}, parameters);
  nn::Ema ema(parameters, 0.99);
  for (auto _ : state) optimizer->step(1, &ema);
  constexpr Index kBytes = kTensors * kSide * kSide * static_cast<Index>(sizeof(Real));
  count_bytes(state, 9 * kBytes, 5 * kBytes);
}

const bool kRegistered = [] {
  register_work("adam_ema/1048576", adam_ema);
  return true;
}();

}  // namespace
}  // namespace rill::bench

BENCHMARK_MAIN();
