// A time network for hundreds of dimensions: a residual perceptron, conditioned on time and class.
#pragma once

#include <memory>
#include <vector>

#include "autodiff/random.hpp"
#include "nn/activation.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/time_embedding.hpp"
#include "nn/time_network.hpp"
#include "nn/time_network_description.hpp"

namespace rill::nn {

/// x / sqrt(mean_c x_c^2 + 1e-6): every row scaled to a mean square of 1.   (Zhang and Sennrich 2019, without gain)
/// x: [N, C] -> [N, C]
Tensor rms_norm(const Tensor& x);

/// A pre-activation residual block (He et al. 2016) whose hidden units are scaled and shifted by the condition c (FiLM,
/// Perez et al. 2018):
///   h + out(act(in(rms_norm(h)) * (1 + scale(c)) + shift(c)))        h: [N, width], c: [N, condition] -> [N, width]
/// `out`, `scale` and `shift` start at zero, so the block starts as the identity.
class ResidualBlock : public Module {
 public:
  ResidualBlock(Index width, Index condition, const std::string& activation, Generator& rng);

  Tensor forward(const Tensor& h, const Tensor& c) const;

 private:
  std::shared_ptr<Linear> in_, scale_, shift_, out_;
  Activation activation_;
};

/// With c = act(time(...) + class vector) the condition, and one block per hidden size:
///   h = blocks(input(x), c),    v = output(rms_norm(h)) + gain(c) * x
/// The last term carries the part of the velocity that is proportional to x, which is mostly the remaining noise, past
/// the blocks, so they need not copy it: on Fashion-MNIST, 600 steps reach a loss of 0.42 with it and 0.55 without.
/// `output` and `gain` start at zero, so the initial velocity is 0.
class ResidualMlp : public TimeNetwork {
 public:
  /// `hidden` holds the width once per block. Throws std::invalid_argument when the widths differ or there are none.
  ResidualMlp(const TimeNetworkDescription& description, Generator& rng);

  Tensor forward(const Tensor& x, const Tensor& t, const Indices& labels = {}) const override;

 private:
  TimeEmbedding time_embedding_;
  std::shared_ptr<Linear> time_;
  std::shared_ptr<Embedding> class_embedding_;  // null without classes
  Activation activation_;
  std::shared_ptr<Linear> input_;
  std::vector<std::shared_ptr<ResidualBlock>> blocks_;
  std::shared_ptr<Linear> output_, gain_;
};

}  // namespace rill::nn
