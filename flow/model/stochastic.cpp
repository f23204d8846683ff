#include "flow/model/stochastic.hpp"

#include <cmath>
#include <memory>
#include <utility>

#include "autodiff/error.hpp"

namespace rill::flow {

NoiseLevel noise_level(const Dynamics& dynamics, double factor) {
  const std::shared_ptr<const AffinePath> path = dynamics.path;
  require(path != nullptr, "sde: stochastic steps need the path of the training, on which their noise depends");
  if (dynamics.noise_level) {
    return [own = dynamics.noise_level, factor](double t) { return std::sqrt(factor) * own(t); };
  }
  if (path->noise().kind == PathNoise::kBridge) {
    return [g = factor * path->noise().sigma](double) { return g; };
  }
  return [path, factor](double t) { return std::sqrt(factor * path->scheduler().at(t).sigma); };
}

Sde sde_of(const Dynamics& dynamics, const Indices& labels, const NoiseLevel& g) {
  require(dynamics.path != nullptr, "sde: these dynamics have no path, from which the score would follow");
  const PathNoise& noise = dynamics.path->noise();
  const Velocity velocity = with_labels(dynamics.velocity, labels);
  if (dynamics.score_drift) {
    require(noise.kind == PathNoise::kBridge,
            "sde: a learned score needs the Schroedinger bridge that it was trained on as its path");
    const double scale = 2 / (noise.sigma * noise.sigma);
    const Velocity score = [drift = with_labels(dynamics.score_drift, labels), scale](
                               const Tensor& x, const Tensor& t) { return scale * drift(x, t); };
    return sde_of_flow(velocity, score, g);
  }
  require(dynamics.no_score.empty(), "sde: ", dynamics.no_score);
  require(noise.kind == PathNoise::kNone,
          "sde: on a path with noise the velocity does not determine the score; train a model that also learns a "
          "score, or sample without noise");
  return sde_of_flow(velocity, std::shared_ptr<const Scheduler>(dynamics.path, &dynamics.path->scheduler()), g);
}

}  // namespace rill::flow
