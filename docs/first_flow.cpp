// Trains a flow from noise to two moons, samples it, and tells how far the samples are from the data.
#include <iostream>

#include "datasets/moons.hpp"
#include "flow/metrics/metrics.hpp"
#include "flow/model/flow_matching.hpp"
#include "flow/model/generate.hpp"

int main() {
  using namespace rill;
  Generator rng(/*seed=*/0, /*stream=*/1);
  flow::FlowMatching model({.network = {.dimension = 2, .hidden = {64, 64, 64}, .activation = "silu"}}, rng);
  const datasets::Moons moons(0.05);

  nn::TrainerOptions options;
  options.learning_rate = {.schedule = "cosine", .peak = 1e-2, .steps = 2000};
  const auto batches = [&](Index, Generator& step_rng) { return datasets::Batch{moons.sample(256, step_rng), {}}; };
  const auto trainer = model.trainer(batches, options);
  while (trainer->steps_done() < 2000) {
    const nn::StepReport report = trainer->step();
    if (report.step % 500 == 0) std::cout << "step " << report.step << "  loss " << trainer->take_mean_loss() << '\n';
  }

  const Tensor noise = Tensor::randn({1000, 2}, rng);
  const Tensor samples =
      flow::generate(*model.dynamics(), noise, {}, {.solver = flow::FixedSteps{&flow::kMidpoint, 20}}).x;
  std::cout << "W2 to fresh data: " << flow::wasserstein2(samples, moons.sample(1000, rng)).value << '\n';
}
