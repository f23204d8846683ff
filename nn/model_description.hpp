// A model as text, so that a file of weights says which network they belong to.
#pragma once

#include <string>
#include <vector>

#include "autodiff/real.hpp"

namespace rill::nn {

/// What a velocity model is built from. Equal descriptions have parameters of equal names and shapes.
struct ModelDescription {
  std::string kind = "mlp";                  ///< mlp (nn/mlp.hpp) or residual-mlp (nn/residual_mlp.hpp)
  Index dimension = 2;                       ///< numbers in a point
  std::vector<Index> hidden = {64, 64, 64};  ///< mlp: the size of each hidden layer; residual-mlp: of each block
  std::string activation = "silu";           ///< see nn/activation.hpp
  std::string time_embedding = "plain";      ///< see nn/time_embedding.hpp
  Index time_frequencies = 8;                ///< of a time embedding that has frequencies
  Index classes = 0;                         ///< number of labels; 0 for an unconditional model
  bool score = false;                        ///< a second network learns a score (nn/velocity_score_model.hpp)

  friend bool operator==(const ModelDescription&, const ModelDescription&) = default;
};

/// A JSON object with one key per field, on one line; equal descriptions give equal text.
std::string to_json(const ModelDescription& description);

/// The inverse. Throws std::invalid_argument for text that is not JSON and for missing, unknown or mistyped keys.
ModelDescription parse_model_description(const std::string& json);

}  // namespace rill::nn
