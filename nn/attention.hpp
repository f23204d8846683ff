// Attention among the tokens of a sequence, and among the pixels of an image.
#pragma once

#include <memory>

#include "autodiff/random.hpp"
#include "nn/linear.hpp"
#include "nn/normalization.hpp"

namespace rill::nn {

/// out(attention(q(x), k(x), v(x))): each token attends to all tokens of its sample (Vaswani et al. 2017, section 3.2).
/// Three projections instead of one of three times the width, whose result would have to be split.
/// x: [N, T, width] -> the same shape. Parameters: "q.weight" [width, width], "q.bias", and so for "k", "v", "out".
class SelfAttention : public Module {
 public:
  /// Throws std::invalid_argument unless `heads` divides `width`. `out` starts at zero if `zero_out`.
  SelfAttention(Index width, Index heads, bool zero_out, Generator& rng);

  Tensor forward(const Tensor& x) const;

 private:
  Index heads_;
  std::shared_ptr<Linear> q_, k_, v_, out_;
};

/// The residual block x + attention(norm(x)) over the pixels of an image; it starts as the identity.
/// x: [N, H, W, channels] -> the same shape. Parameters: "norm.weight", "norm.bias", "attention.q.weight", ...
class AttentionBlock : public Layer {
 public:
  /// Throws std::invalid_argument unless `heads` and `groups` divide `channels`.
  AttentionBlock(Index channels, Index heads, Index groups, Generator& rng);

  using Layer::forward;
  Tensor forward(const Tensor& x) const override;

 private:
  std::shared_ptr<GroupNorm> norm_;
  std::shared_ptr<SelfAttention> attention_;
};

}  // namespace rill::nn
