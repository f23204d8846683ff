#include "tools/figures/model_film.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/model/generate.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::tools {

std::size_t frame_at(double clock, std::size_t frames) {
  return static_cast<std::size_t>(std::lround(std::clamp(clock, 0.0, 1.0) * static_cast<double>(frames - 1)));
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
    chosen.push_back(all[frame_at(static_cast<double>(frame) / (frames - 1), all.size())]);
  }
  return chosen;
}

}  // namespace rill::tools
