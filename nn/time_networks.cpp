#include "nn/time_networks.hpp"

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "nn/dit.hpp"
#include "nn/residual_mlp.hpp"
#include "nn/time_mlp.hpp"
#include "nn/unet.hpp"

namespace rill::nn {

std::shared_ptr<TimeNetwork> make_time_network(const TimeNetworkDescription& description, Generator& rng) {
  if (description.kind == "mlp") return std::make_shared<TimeMlp>(description, rng);
  if (description.kind == "residual-mlp") return std::make_shared<ResidualMlp>(description, rng);
  if (description.kind == "unet") return std::make_shared<UNet>(description, rng);
  if (description.kind == "dit") return std::make_shared<Dit>(description, rng);
  fail(unknown_name("network", description.kind, {"mlp", "residual-mlp", "unet", "dit"}));
}

}  // namespace rill::nn
