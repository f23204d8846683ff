// A learned vector for each class.
#pragma once

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "nn/module.hpp"

namespace rill::nn {

/// y[n] = weight[labels[n]]        labels: [N] in [0, classes), weight: [classes, features] -> y: [N, features]
/// The weights start as standard normal numbers.
class Embedding : public Module {
 public:
  Embedding(Index classes, Index features, Generator& rng);

  Tensor forward(const Indices& labels) const;

 private:
  Tensor weight_;
};

}  // namespace rill::nn
