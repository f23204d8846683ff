// Training steps and sampling from end to end, as a user sees them.
//   bench/bench_training --benchmark_filter=annulus
// training_step_of_one is the same graph with a batch of one: its time is the cost of the graph, of dispatch and of the
// parameters' update.
#include <benchmark/benchmark.h>

#include "autodiff/operation_count.hpp"
#include "bench/counters.hpp"
#include "bench/works.hpp"
#include "flow/model/flow_matching.hpp"
#include "flow/model/generate.hpp"

namespace rill::bench {
namespace {

constexpr Index kPoints = 10'000;

void training_step(benchmark::State& state, const Work& work, Index batch) {
  Generator rng(0, 1);
  flow::FlowMatching model(work.model, rng);
  const auto trainer = model.trainer(work.source(batch), work.options);
  trainer->step();  // takes the memory that all later steps use again
  const std::uint64_t before = operation_count();
  for (auto _ : state) trainer->step();
  count_flops(state, operation_count() - before);
  state.SetItemsProcessed(state.iterations() * batch);
}

void sampling(benchmark::State& state, const Work& work) {
  Generator rng(0, 1);
  flow::FlowMatching model(work.model, rng);
  const flow::Dynamics dynamics = *model.dynamics();
  const std::uint64_t before = operation_count();
  for (auto _ : state) {
    const Tensor noise = Tensor::randn({kPoints, 2}, rng);
    benchmark::DoNotOptimize(flow::generate(dynamics, noise, {}, {.solver = flow::FixedSteps{&flow::kEuler, 50}}).x);
  }
  count_flops(state, operation_count() - before);
  state.SetItemsProcessed(state.iterations() * kPoints);
}

const bool kRegistered = [] {
  for (const Work& work : works()) {
    register_work("training_step/" + work.name,
                  [&work](benchmark::State& state) { training_step(state, work, work.batch); });
    register_work("training_step_of_one/" + work.name,
                  [&work](benchmark::State& state) { training_step(state, work, 1); });
  }
  for (const char* name : {"annulus-plain", "annulus"}) {
    register_work(std::string("sampling/") + name, [name](benchmark::State& state) { sampling(state, work(name)); });
  }
  return true;
}();

}  // namespace
}  // namespace rill::bench

BENCHMARK_MAIN();
