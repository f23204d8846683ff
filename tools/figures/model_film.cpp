#include "tools/figures/model_film.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/model/generate.hpp"
#include "flow/solver/ode.hpp"
#include "flow/solver/tableau.hpp"
#include "tools/cli/phase.hpp"

namespace rill::tools {

const Tensor& at_clock(const std::vector<Tensor>& way, double clock) {
  return way[static_cast<std::size_t>(std::lround(std::clamp(clock, 0.0, 1.0) * static_cast<double>(way.size() - 1)))];
}

std::vector<Tensor> way_of(const flow::EmpiricalMarginal& marginal, const Tensor& x_0, int frames) {
  Phase phase("moving points", 2 * (frames - 1));
  std::vector<Tensor> way;
  flow::solve(
      [&](const Tensor& x, const Tensor& t) {
        phase.advance(1);
        return marginal.velocity(x, t);
      },
      x_0, flow::uniform_grid(0, 1, frames - 1), flow::kHeun2,
      [&](Index, double, const Tensor& x) { way.push_back(x); });
  return way;
}

std::vector<Tensor> way_of(const flow::GenerativeModel& model, Index count, int frames, std::uint64_t seed) {
  Generator rng(seed);
  const Indices labels = model.classes() > 0 ? Indices(rng.integers(count, model.classes())) : Indices();
  std::vector<Tensor> all;
  if (const auto dynamics = model.dynamics()) {
    const flow::GenerateOptions options{.solver = flow::FixedSteps{&flow::kEuler, frames - 1}, .keep_trajectory = true};
    all = flow::generate(*dynamics, dynamics->sample_source(count, rng), labels, options).trajectory;
    if (model.dynamics_are_latent()) {
      for (Tensor& x : all) x = model.from_dynamics(x, labels, seed);
    }
  } else if (const auto scores = model.scores()) {
    const Tensor start = Tensor::randn({count, model.dimension()}, rng);
    all = flow::generate(*scores, start, labels, {.seed = seed}, true).trajectory;
  } else {
    require(model.noise_dimension() > 0, "film: models of the family ", model.family(), " have no noise to follow");
    const Tensor noise = Tensor::randn({count, model.noise_dimension()}, rng);
    for (int frame = 0; frame < frames; ++frame) {
      all.push_back(model.from_noise(static_cast<double>(frame) / (frames - 1) * noise, labels));
    }
  }
  std::vector<Tensor> chosen;
  for (int frame = 0; frame < frames; ++frame) {
    chosen.push_back(at_clock(all, static_cast<double>(frame) / (frames - 1)));
  }
  return chosen;
}

}  // namespace rill::tools
