#include "nn/time_network_description.hpp"

#include <numeric>

#include "autodiff/description_json.hpp"

namespace rill::nn {

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
