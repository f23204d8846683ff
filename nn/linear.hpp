// The fully connected layer.
#pragma once

#include <memory>

#include "autodiff/random.hpp"
#include "nn/module.hpp"

namespace rill::nn {

/// y = x weight^T + bias        x: [N, in], weight: [out, in], bias: [out] -> y: [N, out]
class Linear : public Layer {
 public:
  /// PyTorch's default initialization: weight and bias uniform in +- 1 / sqrt(in).
  Linear(Index in, Index out, Generator& rng);
  /// All zeros: the last layer of a residual branch, so that training starts from the identity.
  static std::shared_ptr<Linear> zeros(Index in, Index out);
  Linear(Tensor weight, Tensor bias);

  Tensor forward(const Tensor& x) const override;
  Tensor forward(const Tensor& x, const rill::Activation& f) const override;

 private:
  Tensor weight_, bias_;
};

}  // namespace rill::nn
