#include "nn/time_networks.hpp"

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "nn/dit.hpp"
#include "nn/residual_mlp.hpp"
#include "nn/time_mlp.hpp"
#include "nn/unet.hpp"

namespace rill::nn {

namespace {

template <class Network>
std::shared_ptr<TimeNetwork> make(const TimeNetworkDescription& description, Generator& rng) {
  return std::make_shared<Network>(description, rng);
}

struct Kind {
  const char* name;
  std::shared_ptr<TimeNetwork> (*make)(const TimeNetworkDescription&, Generator&);
};
constexpr Kind kKinds[] = {
    {"mlp", make<TimeMlp>}, {"residual-mlp", make<ResidualMlp>}, {"unet", make<UNet>}, {"dit", make<Dit>}};

}  // namespace

std::vector<std::string> time_network_names() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.push_back(kind.name);
  return names;
}

std::shared_ptr<TimeNetwork> make_time_network(const TimeNetworkDescription& description, Generator& rng) {
  for (const Kind& kind : kKinds) {
    if (description.kind == kind.name) return kind.make(description, rng);
  }
  fail(unknown_name("network", description.kind, time_network_names()));
}

}  // namespace rill::nn
