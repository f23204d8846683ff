#include "nn/embedding.hpp"

#include "nn/init.hpp"

namespace rill::nn {

Embedding::Embedding(Index classes, Index features, Generator& rng)
    : weight_(register_parameter("weight", normal({classes, features}, rng))) {}

Tensor Embedding::forward(const Indices& labels) const { return gather_rows(weight_, labels); }

}  // namespace rill::nn
