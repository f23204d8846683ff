#include "nn/embedding.hpp"

namespace rill::nn {

Embedding::Embedding(Index classes, Index features, Generator& rng)
    : weight_(register_parameter("weight", Tensor::randn({classes, features}, rng))) {}

Tensor Embedding::forward(const Indices& labels) const { return gather_rows(weight_, labels); }

}  // namespace rill::nn
