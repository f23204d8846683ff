#include "nn/time_network_description.hpp"

#include <numeric>
#include <vector>

#include "autodiff/description_json.hpp"
#include "autodiff/error.hpp"
#include "autodiff/text.hpp"

namespace rill::nn {

std::string text(const TimeNetworkDescription& description) {
  const std::string time = concat(", ", description.time_embedding, " time");
  if (description.kind == "dit") {
    const DitDescription& dit = description.dit;
    return concat("dit of ", dit.blocks, " blocks, ", dit.width, " wide, patches of ", dit.patch, time);
  }
  if (description.kind == "unet") {
    const UNetDescription& unet = description.unet;
    std::vector<Index> channels = unet.multipliers;
    for (Index& factor : channels) factor *= unet.base_channels;
    const std::string patches = unet.patch > 1 ? concat(", patches of ", unet.patch) : "";
    return concat("unet ", joined(channels, "-"), ", blocks ", unet.blocks, patches, ", ", description.activation,
                  time);
  }
  return concat(description.kind, " ", joined(description.hidden, "-"), ", ", description.activation, time);
}

double units_kept(const TimeNetworkDescription& description) {
  const auto pixels = static_cast<double>(description.image.height * description.image.width);
  const auto of_patches = [&](Index units, Index patch) {
    return pixels * static_cast<double>(units) / static_cast<double>(patch * patch);
  };
  if (description.kind == "unet") return of_patches(description.unet.base_channels, description.unet.patch);
  if (description.kind == "dit") return of_patches(description.dit.width, description.dit.patch);
  return static_cast<double>(std::accumulate(description.hidden.begin(), description.hidden.end(), Index{0}));
}

std::string to_json(const TimeNetworkDescription& description) { return description::to_json(description); }

TimeNetworkDescription parse_time_network_description(const std::string& text) {
  return description::parse<TimeNetworkDescription>(text, "network description");
}

}  // namespace rill::nn
