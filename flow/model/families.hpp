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

/// A family whose models are of class M, which has a name, M::kFamily, and settings, M::Description. These have a
/// default for everything but the data's shape, set_shape(), and fields that programs offer as options
/// (autodiff/description.hpp). make() makes a model from a file's metadata.
template <class M, std::shared_ptr<GenerativeModel> (*make)(const nn::Metadata&, Generator&)>
struct FamilyOf {
  using Model = M;
  static constexpr Family kFamily = {M::kFamily, make};
};

/// All of them, from which everything follows: to add one, add a line.
using AllFamilies = std::tuple<                      //
    FamilyOf<FlowMatching, make_flow_matching>,      //
    FamilyOf<Diffusion, make_diffusion>,             //
    FamilyOf<ScoreMatching, make_score_matching>,    //
    FamilyOf<ContinuousFlow, make_continuous_flow>,  //
    FamilyOf<CouplingFlow, make_coupling_flow>,      //
    FamilyOf<Vae, make_vae>,                         //
    FamilyOf<LatentFlow, make_latent_flow>>;

std::span<const Family> families();
std::vector<std::string> family_names();
/// Throws std::invalid_argument, listing the known names, for an unknown one.
const Family& find_family(const std::string& name);

}  // namespace rill::flow
