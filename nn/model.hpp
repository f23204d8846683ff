// Every velocity model there is, by description.
#pragma once

#include <memory>

#include "autodiff/random.hpp"
#include "nn/model_description.hpp"
#include "nn/velocity_model.hpp"

namespace rill::nn {

/// A new model with weights drawn from `rng`. Throws std::invalid_argument, naming the field, for an unknown kind,
/// activation or time embedding and for sizes that make no network.
std::shared_ptr<VelocityModel> make_model(const ModelDescription& description, Generator& rng);

}  // namespace rill::nn
