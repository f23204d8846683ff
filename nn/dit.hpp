// A time network for images: a transformer on patches.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "autodiff/random.hpp"
#include "nn/attention.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/sequential.hpp"
#include "nn/time_embedding.hpp"
#include "nn/time_network.hpp"
#include "nn/time_network_description.hpp"

namespace rill::nn {

/// The sine-cosine positional embedding of the tokens of an image, rows x columns of them: width / 4 frequencies each
/// of sin and cos of the row r, then of the column c,
///   (sin(r w_k), cos(r w_k), sin(c w_k), cos(c w_k)),    w_k = 10000^(-4 k / width), k = 0 .. width / 4 - 1
/// -> [1, rows columns, width]. Throws std::invalid_argument unless 4 divides the width.
Tensor grid_positions(Index rows, Index columns, Index width);

/// A transformer block with adaLN-Zero (Peebles and Xie 2023, section 3.2). A linear layer maps the condition to six
/// vectors per sample, (shift, scale, gate) for each of two branches:
///   h = h + gate_1 attention(norm(h) (1 + scale_1) + shift_1)
///   h = h + gate_2 mlp(norm(h) (1 + scale_2) + shift_2),    mlp = linear, gelu_tanh, linear
/// That layer starts at zero, so the block starts as the identity.
/// h: [N, T, width], c: [N, width] -> [N, T, width]
class DitBlock : public Module {
 public:
  DitBlock(Index width, Index heads, Index mlp_ratio, Generator& rng);

  Tensor forward(const Tensor& h, const Tensor& c) const;

 private:
  std::shared_ptr<Linear> modulation_;
  std::shared_ptr<SelfAttention> attention_;
  std::shared_ptr<Linear> in_, out_;
};

/// DiT (Peebles and Xie 2023): squares of patch x patch pixels become tokens, tokens = linear(square) + position; then
/// the blocks, a final adaptive layer norm, and a linear layer back to pixels. The condition is
///   c = silu(time.2(silu(time.0(time features))) + class vector).
/// The last layer starts at zero, so the initial output is 0.
///
/// Parameters: "time.0", "time.2", "class_embedding", "tokens", "block<i>.modulation", "block<i>.attention.<q, k, v,
/// out>", "block<i>.in", "block<i>.out", "modulation", "output", each followed by ".weight" and ".bias".
class Dit : public TimeNetwork {
 public:
  /// Uses every field but `hidden`, `activation` and `unet`. Throws std::invalid_argument, naming the field, for a
  /// description that is not valid: a dimension that is not the image's, a patch size that does not divide the image's
  /// sides, a width that is not a multiple of 4 and of the heads.
  Dit(const TimeNetworkDescription& description, Generator& rng);

  Tensor forward(const Tensor& x, const Tensor& t, const Indices& labels = {}) const override;

 private:
  ImageShape image_;
  Index patch_, width_;
  TimeEmbedding time_features_;
  std::shared_ptr<Sequential> time_;
  std::shared_ptr<Embedding> class_embedding_;  // null without classes
  std::shared_ptr<Linear> tokens_;
  // Made by the first forward(), which takes as much memory anyway, so that a file that claims a large image costs
  // none.
  mutable Tensor positions_;
  mutable std::once_flag positions_made_;
  std::vector<std::shared_ptr<DitBlock>> blocks_;
  std::shared_ptr<Linear> modulation_, output_;
};

}  // namespace rill::nn
