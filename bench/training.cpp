// What users wait for: training steps and sampling, everything included, with the presets' networks.
//   bench/bench_training --benchmark_filter=annulus
#include <benchmark/benchmark.h>

#include <string>

#include "autodiff/operation_count.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/simd/kernels.hpp"
#include "bench/probe.hpp"
#include "datasets/annulus.hpp"
#include "datasets/checkerboard.hpp"
#include "flow/generate.hpp"
#include "flow/trainer.hpp"
#include "nn/model.hpp"

namespace rill::bench {
namespace {

struct Work {
  const char* name;
  const datasets::Density& density;
  nn::ModelDescription model;
  Index batch;
  flow::TrainerOptions options;
};

const datasets::Annulus kAnnulus;
const datasets::Checkerboard kCheckerboard;
flow::TrainerOptions plain_options(double learning_rate) {
  flow::TrainerOptions options;
  options.learning_rate.peak = learning_rate;
  return options;
}

flow::TrainerOptions annulus_options() {
  flow::TrainerOptions options = plain_options(1e-2);
  options.times = "late";
  options.clip_norm = 1;
  options.ema_decay = 0.99;
  return options;
}

nn::ModelDescription annulus_model() {
  return {.hidden = {64, 64, 64}, .activation = "silu", .time_embedding = "fourier", .time_frequencies = 2};
}

// The presets annulus-plain and annulus; the network and batch of Meta's guide to flow matching.
const Work kAnnulusPlain = {
    "annulus-plain", kAnnulus, {.hidden = {64, 64, 64}, .activation = "elu"}, 256, plain_options(1e-2)};
const Work kAnnulusTuned = {"annulus", kAnnulus, annulus_model(), 256, annulus_options()};
const Work kGuide = {"checkerboard", kCheckerboard, {.hidden = {512, 512, 512, 512}}, 4096, plain_options(1e-3)};

// Floating-point operations of the matrix products, beside what the instruction set could do on one thread.
void count_flops(benchmark::State& state, std::uint64_t operations) {
  using benchmark::Counter;
  const auto total = static_cast<double>(operations);
  state.counters["FLOP/s"] = Counter(total, Counter::kIsRate);
  state.counters["of_peak"] = Counter(total / peak_flops(simd::kernels().name), Counter::kIsRate);
}

void training_step(benchmark::State& state, const Work& work) {
  set_thread_count(static_cast<int>(state.range(0)));
  Generator rng(0, 1);
  const auto model = nn::make_model(work.model, rng);
  const auto source = [&work](Index, Generator& step_rng) {
    return flow::Batch{work.density.sample(work.batch, step_rng), {}};
  };
  flow::Trainer trainer(*model, source, work.options);
  trainer.step();  // takes the memory that all later steps use again
  const std::uint64_t before = operation_count();
  for (auto _ : state) trainer.step();
  count_flops(state, operation_count() - before);
  state.SetItemsProcessed(state.iterations() * work.batch);
}

void sampling(benchmark::State& state, const Work& work) {
  set_thread_count(static_cast<int>(state.range(0)));
  Generator rng(0, 1);
  const auto model = nn::make_model(work.model, rng);
  const std::uint64_t before = operation_count();
  for (auto _ : state) {
    const Tensor noise = Tensor::randn({10'000, 2}, rng);
    benchmark::DoNotOptimize(flow::generate(*model, noise, {}, {.method = &flow::kEuler, .steps = 50}).x.data());
  }
  count_flops(state, operation_count() - before);
  state.SetItemsProcessed(state.iterations() * 10'000);
}

const int kThreads = thread_count();

void register_work(const char* name, void (*function)(benchmark::State&, const Work&), const Work& work) {
  auto* run = benchmark::RegisterBenchmark((std::string(name) + "/" + work.name).c_str(), function, work);
  run->ArgName("threads")->Arg(1)->UseRealTime();
  if (kThreads > 1) run->Arg(kThreads);
}

const bool kRegistered = [] {
  for (const Work* work : {&kAnnulusPlain, &kAnnulusTuned, &kGuide})
    register_work("training_step", training_step, *work);
  for (const Work* work : {&kAnnulusPlain, &kAnnulusTuned}) register_work("sampling", sampling, *work);
  return true;
}();

}  // namespace
}  // namespace rill::bench

BENCHMARK_MAIN();
