// A multilayer perceptron.
#pragma once

#include <string>
#include <vector>

#include "autodiff/random.hpp"
#include "nn/sequential.hpp"

namespace rill::nn {

/// Linear layers of the hidden sizes, each followed by the activation, and a linear layer to the outputs.
/// [N, inputs] -> [N, outputs]. Parameters: "0.weight", "0.bias", "2.weight", ... (activations are numbered, too).
class Mlp : public Sequential {
 public:
  /// Linear if there are no hidden layers. Throws std::invalid_argument for a size below 1 and an unknown activation.
  Mlp(Index inputs, const std::vector<Index>& hidden, Index outputs, const std::string& activation, Generator& rng);
};

}  // namespace rill::nn
