// All time networks, made from their descriptions.
#pragma once

#include <memory>

#include "autodiff/random.hpp"
#include "nn/time_network.hpp"
#include "nn/time_network_description.hpp"

namespace rill::nn {

/// A new network with weights drawn from `rng`. Throws std::invalid_argument, naming the field, for an unknown kind,
/// activation or time embedding and for invalid sizes.
std::shared_ptr<TimeNetwork> make_time_network(const TimeNetworkDescription& description, Generator& rng);

}  // namespace rill::nn
