#include "flow/generate_sde.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "autodiff/error.hpp"
#include "flow/row_groups.hpp"

namespace rill::flow {

Sde sde_of_model(const nn::VelocityModel& model, const Indices& labels, const AffinePath& path, const NoiseLevel& g) {
  const PathNoise& noise = path.noise();
  if (model.has_score()) {
    require(noise.kind == PathNoise::kBridge,
            "sde: a model with a learned score needs the Schroedinger bridge that it "
            "was trained on as its path");
    const double scale = 2 / (noise.sigma * noise.sigma);  // the model's is sigma^2 / 2 times the score
    const Velocity score = [&model, labels, scale](const Tensor& x, const Tensor& t) {
      return scale * model.score_drift(x, t, labels);
    };
    return sde_of_flow(velocity_of(model, labels), score, g);
  }
  require(noise.kind == PathNoise::kNone,
          "sde: on a path with noise the velocity does not tell the score; train a model that learns one beside it, or "
          "sample without noise");
  const std::shared_ptr<const Scheduler> scheduler(&path.scheduler(), [](const Scheduler*) {});  // not ours to delete
  return sde_of_flow(velocity_of(model, labels), scheduler, g);
}

Generated generate_sde(const nn::VelocityModel& model, const AffinePath& path, const Tensor& x_0, const Indices& labels,
                       const GenerateSdeOptions& options) {
  require(x_0.rank() == 2, "generate: expected points [N, D], got ", x_0.shape());
  require(labels.size() == 0 || labels.size() == x_0.dim(0), "generate: ", labels.size(), " labels for ", x_0.dim(0),
          " points");
  require(options.g != nullptr, "generate: expected a noise level g");
  const std::vector<double> times = uniform_grid(0, 1, options.steps);
  const Index evaluations = options.steps * (options.method == SdeMethod::kHeun ? 2 : 1);
  Generated result{.x = Tensor::empty(x_0.shape()), .evaluations = evaluations, .trajectory = {}};
  if (options.keep_trajectory) {
    for (std::size_t i = 0; i < times.size(); ++i) result.trajectory.push_back(Tensor::empty(x_0.shape()));
  }
  // The points of a group and the branch of its Brownian path, some 50 tensors, should stay in a core's cache.
  constexpr Index kGroup = 1000;
  const Index dimension = x_0.dim(1);
  for_row_groups(x_0.dim(0), kGroup, [&](Index begin, Index end) {
    const auto keep = [&](Tensor& all, const Tensor& part) {
      std::copy_n(part.data(), part.size(), all.data() + begin * dimension);
    };
    const Observer observer = [&](Index position, double, const Tensor& x) {
      if (options.keep_trajectory) keep(result.trajectory[static_cast<std::size_t>(position)], x);
    };
    const Sde sde = sde_of_model(model, labels_of_rows(labels, begin, end), path, options.g);
    const Tensor group = slice(x_0, 0, begin, end);
    BrownianPath motion(options.seed, group.shape(), 0, 1, begin);
    keep(result.x, solve(sde, group, times, options.method, motion, observer).x);
  });
  return result;
}

}  // namespace rill::flow
