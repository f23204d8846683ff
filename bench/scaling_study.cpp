#include "bench/scaling_study.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "flow/metrics/likelihood.hpp"
#include "flow/metrics/mode_masses.hpp"
#include "flow/model/flow_matching.hpp"
#include "flow/model/generate.hpp"
#include "nn/ema.hpp"
#include "nn/trainer.hpp"

namespace rill::bench {
namespace {

constexpr Index kBatch = 256;
// An exact divergence takes a gradient for each dimension, so this many are spent on each likelihood, on up to ...
constexpr Index kGradients = 4000;
constexpr Index kMostLikelihoodPoints = 1000;
// Streams of seed 1; training draws from those of seed 0.
enum Stream : std::uint64_t { kWeights, kNoise, kFreshData, kPerfectSample };
constexpr std::uint64_t kSeed = 1;

nn::TrainerOptions trainer_options() {
  nn::TrainerOptions options;
  options.learning_rate = {.schedule = "constant", .peak = 3e-3};
  options.clip_norm = 1;
  options.ema_decay = 0.999;
  return options;
}

Filling filling_of(const Board& board, const Tensor& x) {
  const flow::ModeMasses masses = flow::mode_masses(board.density, x);
  const auto cells = static_cast<double>(masses.shares.size());
  const auto touched =
      std::count_if(masses.shares.begin(), masses.shares.end(), [](const flow::Estimate& s) { return s.value > 0; });
  constexpr double kFewest = 20;  // points to a cell, below which even a perfect sample leaves one nearly empty
  const bool enough = static_cast<double>(x.dim(0)) >= kFewest * cells;
  return {enough ? masses.least_filled : std::numeric_limits<double>::quiet_NaN(),
          static_cast<double>(touched) / cells};
}

flow::Estimate kl_from_data(const Board& board, const flow::Dynamics& dynamics) {
  Generator rng(kSeed, kFreshData);
  const Index points = std::min(kMostLikelihoodPoints, kGradients / board.density.dimension());
  const Tensor x = board.density.sample(points, rng);
  const Tensor log_q =
      flow::log_likelihood(dynamics.velocity, x, {},
                           {.solver = flow::AdaptiveOptions{.tolerance = {.rtol = 1e-4, .atol = 1e-4}}})
          .log_p;
  return flow::mean_of(*board.density.log_density(x) - log_q);
}

Measurement measure(const Board& board, const flow::Dynamics& dynamics, Index step) {
  Generator rng(kSeed, kNoise);
  const Tensor noise = Tensor::randn({kSamples, board.density.dimension()}, rng);
  const Tensor samples =
      flow::generate(dynamics, noise, {}, {.solver = flow::AdaptiveOptions{.tolerance = {.rtol = 1e-3, .atol = 1e-3}}})
          .x;
  return {step, *flow::share_in_support(board.density, samples), filling_of(board, samples),
          kl_from_data(board, dynamics)};
}

}  // namespace

std::vector<Board> boards_of_squares() {
  std::vector<Board> boards;
  for (const Index cells : {4, 8, 12, 16}) {
    boards.push_back({concat(cells, " x ", cells), datasets::Checkerboard(cells)});
  }
  return boards;
}

std::vector<Board> boards_of_dimensions() {
  std::vector<Board> boards;
  for (const Index dimension : {2, 4, 8, 16}) {
    boards.push_back({concat(dimension, "-D"), datasets::Checkerboard(2, -2, 2, dimension)});
  }
  return boards;
}

Filling perfect_filling(const Board& board) {
  Generator rng(kSeed, kPerfectSample);
  return filling_of(board, board.density.sample(kSamples, rng));
}

Training train_and_measure(const Board& board, Index width, const std::vector<Index>& steps,
                           const std::function<void(const Measurement&)>& progress) {
  Generator rng(kSeed, kWeights);
  flow::FlowMatchingDescription description;
  description.network = {.dimension = board.density.dimension(),
                         .hidden = {width, width, width, width},
                         .activation = "silu",
                         .time_embedding = "fourier",
                         .time_frequencies = 8};
  description.times = {.distribution = "late", .low_discrepancy = true};
  flow::FlowMatching model(description, rng);
  const auto source = [&](Index, Generator& step_rng) {
    return datasets::Batch{board.density.sample(kBatch, step_rng), {}};
  };
  const auto trainer = model.trainer(source, trainer_options());

  Training training;
  for (const Index step : steps) {
    const auto start = std::chrono::steady_clock::now();
    while (trainer->steps_done() < step) trainer->step();
    training.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const nn::EmaScope averaged(*trainer->ema());
    training.measurements.push_back(measure(board, *model.dynamics(), step));
    progress(training.measurements.back());
  }
  return training;
}

}  // namespace rill::bench
