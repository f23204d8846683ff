#include "nn/mlp.hpp"

#include <memory>

#include "autodiff/error.hpp"
#include "nn/activation.hpp"
#include "nn/linear.hpp"

namespace rill::nn {
namespace {

std::vector<std::shared_ptr<Layer>> layers(Index inputs, const std::vector<Index>& hidden, Index outputs,
                                           const std::string& activation, Generator& rng) {
  require(inputs > 0 && outputs > 0, "mlp: ", inputs, " inputs and ", outputs, " outputs, expected at least 1 of each");
  std::vector<std::shared_ptr<Layer>> all;
  Index width = inputs;
  for (const Index units : hidden) {
    require(units > 0, "mlp: a hidden layer of size ", units, ", expected at least 1");
    all.push_back(std::make_shared<Linear>(width, units, rng));
    all.push_back(std::make_shared<Activation>(activation));
    width = units;
  }
  all.push_back(std::make_shared<Linear>(width, outputs, rng));
  return all;
}

}  // namespace

Mlp::Mlp(Index inputs, const std::vector<Index>& hidden, Index outputs, const std::string& activation, Generator& rng)
    : Sequential(layers(inputs, hidden, outputs, activation, rng)) {}

}  // namespace rill::nn
