// What models of one time network write and read, for the files that implement their families. It needs JSON, which the
// public headers do without.
#pragma once

#include <string>

#include "autodiff/description_json.hpp"
#include "autodiff/summary.hpp"
#include "flow/model/metadata.hpp"
#include "flow/model/network_model.hpp"
#include "nn/time_network_description.hpp"

namespace rill::flow {

template <class D>
nn::Metadata NetworkModel<D>::metadata() const {
  return {{nn::kNetworkKey, nn::to_json(description_.network)}, {family(), description::to_json(description_)}};
}
template <class D>
std::string NetworkModel<D>::network_text() const {
  return summary(description_.network);
}
template <class D>
std::string NetworkModel<D>::training_text() const {
  return summary(description_);
}

/// The inverse of NetworkModel::metadata(). Throws std::invalid_argument, naming the entry.
template <class Description>
Description read_network_description(const nn::Metadata& metadata, const char* family) {
  Description description;
  require_entry(metadata, nn::kNetworkKey,
                [&](const std::string& json) { description.network = nn::parse_time_network_description(json); });
  require_description(metadata, family, description);
  return description;
}

}  // namespace rill::flow
