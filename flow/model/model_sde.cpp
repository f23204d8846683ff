#include "flow/model/model_sde.hpp"

#include <memory>

#include "autodiff/error.hpp"
#include "flow/model/generate.hpp"

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

}  // namespace rill::flow
