// The families of generative models.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "autodiff/random.hpp"
#include "flow/model/continuous_flow.hpp"
#include "flow/model/coupling_flow.hpp"
#include "flow/model/diffusion.hpp"
#include "flow/model/flow_matching.hpp"
#include "flow/model/generative_model.hpp"
#include "flow/model/latent_flow.hpp"
#include "flow/model/score_matching.hpp"
#include "flow/model/vae.hpp"
#include "nn/checkpoint.hpp"

namespace rill::flow {

struct Family {
  const char* name;
  /// Makes a model from metadata(), with weights drawn from `rng`. Throws std::invalid_argument.
  std::shared_ptr<GenerativeModel> (*make)(const nn::Metadata& metadata, Generator& rng);
};

/// The classes of all of them, from which everything follows: to add a family, add its class. A class M has a name,
/// M::kFamily, and settings, M::Description: with a default for everything but the data's shape, set_shape(), and with
/// fields that programs offer as options (autodiff/description.hpp). M::read_description() reads them from a file's
/// metadata, and M(description, rng) makes a model.
using AllFamilies = std::tuple<FlowMatching, Diffusion, ScoreMatching, ContinuousFlow, CouplingFlow, Vae, LatentFlow>;

std::span<const Family> families();
std::vector<std::string> family_names();
/// Throws std::invalid_argument, listing the known names, for an unknown one.
const Family& find_family(const std::string& name);

}  // namespace rill::flow
