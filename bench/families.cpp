// A training step and 10,000 samples of other families than flow matching. bench/compare puts zuko and torchdiffeq
// beside them (bench/peers), with networks of the same sizes.
//   bench/bench_families --benchmark_filter=coupling
#include <benchmark/benchmark.h>

#include "autodiff/operation_count.hpp"
#include "bench/counters.hpp"
#include "datasets/gaussians.hpp"
#include "datasets/moons.hpp"
#include "flow/model/continuous_flow.hpp"
#include "flow/model/coupling_flow.hpp"

namespace rill::bench {
namespace {

constexpr Index kBatch = 256, kPoints = 10'000;

datasets::Batch moons(Index, Generator& rng) { return {datasets::Moons(0.1, 1, 0).sample(kBatch, rng), {}}; }

nn::TrainerOptions constant_rate() {
  nn::TrainerOptions options;
  options.learning_rate.peak = 1e-3;
  return options;
}

// Eight layers of two perceptrons' 64 units: 46,296 parameters with splines of 8 bins, 35,376 with affine maps.
flow::CouplingFlow coupling_flow(const char* transform) {
  Generator rng(0, 1);
  return {{.coupling = {.transform = transform}}, rng};
}

// 3 x 64 tanh, as in published examples (shared by all: dopri5, tolerance 1e-3, exact divergence).
flow::ContinuousFlow continuous_flow(const char* gradients) {
  Generator rng(0, 1);
  return {{.network = {.hidden = {64, 64, 64}, .activation = "tanh"}, .gradients = gradients}, rng};
}

template <class Model>
void training_step(benchmark::State& state, Model model) {
  const auto trainer = model.trainer(moons, constant_rate());
  trainer->step();  // takes the memory that all later steps use again
  const std::uint64_t before = operation_count();
  for (auto _ : state) trainer->step();
  count_flops(state, operation_count() - before);
  state.SetItemsProcessed(state.iterations() * kBatch);
}

void sampling(benchmark::State& state, const flow::CouplingFlow& model) {
  Generator rng(0);
  const std::uint64_t before = operation_count();
  for (auto _ : state) benchmark::DoNotOptimize(model.sample(kPoints, {}, rng));
  count_flops(state, operation_count() - before);
  state.SetItemsProcessed(state.iterations() * kPoints);
}

const bool kRegistered = [] {
  for (const char* transform : {"spline", "affine"}) {
    register_work(std::string("coupling_step/") + transform,
                  [transform](benchmark::State& state) { training_step(state, coupling_flow(transform)); });
    register_work(std::string("coupling_sampling/") + transform,
                  [transform](benchmark::State& state) { sampling(state, coupling_flow(transform)); });
  }
  for (const char* gradients : {"steps", "adjoint"}) {
    register_work(std::string("likelihood_step/") + gradients,
                  [gradients](benchmark::State& state) { training_step(state, continuous_flow(gradients)); });
  }
  return true;
}();

}  // namespace
}  // namespace rill::bench

BENCHMARK_MAIN();
