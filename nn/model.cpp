#include "nn/model.hpp"

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "nn/dit.hpp"
#include "nn/mlp.hpp"
#include "nn/residual_mlp.hpp"
#include "nn/unet.hpp"
#include "nn/velocity_score_model.hpp"

namespace rill::nn {

std::shared_ptr<VelocityModel> make_model(const ModelDescription& description, Generator& rng) {
  if (description.score) return std::make_shared<VelocityScoreModel>(description, rng);
  if (description.kind == "mlp") return std::make_shared<Mlp>(description, rng);
  if (description.kind == "residual-mlp") return std::make_shared<ResidualMlp>(description, rng);
  if (description.kind == "unet") return std::make_shared<UNet>(description, rng);
  if (description.kind == "dit") return std::make_shared<Dit>(description, rng);
  fail(unknown_name("model kind", description.kind, {"mlp", "residual-mlp", "unet", "dit"}));
}

}  // namespace rill::nn
