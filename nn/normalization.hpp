// Normalization layers.
#pragma once

#include "nn/module.hpp"

namespace rill::nn {

/// xhat scale + shift, xhat = x normalized over the channels of a group at all positions of a sample (Wu and He 2018);
/// scale and shift, one number per channel, start at 1 and 0.
/// x: [N, ..., channels] -> the same shape
class GroupNorm : public Layer {
 public:
  /// Throws std::invalid_argument unless both numbers are positive and `groups` divides `channels`.
  GroupNorm(Index groups, Index channels);

  Tensor forward(const Tensor& x) const override;
  Tensor forward(const Tensor& x, const rill::Activation& f) const override;
  /// f(forward(x) (1 + gain) + offset), where each sample has its own gain and offset: [N, channels]
  /// (FiLM, Perez et al. 2018). One op: the two scales and shifts are combined first.
  Tensor forward(const Tensor& x, const Tensor& gain, const Tensor& offset, const rill::Activation& f) const;

 private:
  Index groups_;
  Tensor scale_, shift_;
};

/// xhat scale + shift, xhat = x normalized over the last axis (Ba et al. 2016); scale and shift start at 1 and 0.
/// x: [..., width] -> the same shape
class LayerNorm : public Layer {
 public:
  explicit LayerNorm(Index width);

  using Layer::forward;
  Tensor forward(const Tensor& x) const override;

 private:
  Tensor scale_, shift_;
};

}  // namespace rill::nn
