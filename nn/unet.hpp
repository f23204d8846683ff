// A time network for images: a convolutional network at several resolutions.
#pragma once

#include <memory>
#include <vector>

#include "autodiff/random.hpp"
#include "nn/attention.hpp"
#include "nn/conditioned_block.hpp"
#include "nn/embedding.hpp"
#include "nn/resampling.hpp"
#include "nn/sequential.hpp"
#include "nn/time_embedding.hpp"
#include "nn/time_network.hpp"
#include "nn/time_network_description.hpp"

namespace rill::nn {

/// The network of Ho et al. 2020 (appendix B) as Dhariwal and Nichol 2021 build it. With
///   c = act(time.2(act(time.0(time features))) + class vector),    4 base_channels numbers that condition every block,
/// it has a stem of one convolution; levels of residual blocks, each level at half the resolution of the one before; a
/// middle of block, attention and block; and the same levels back up, where every block also gets the result of its
/// counterpart on the way down (Ronneberger et al. 2015). The last convolution starts at zero, so the initial output is
/// 0.
///
/// Parameters, l a level and b a block in it, both from 0:
///   "time.0", "time.2", "class_embedding", "stem",
///   "down<l>_block<b>.<..>" (nn/conditioned_block.hpp), "down<l>_attention<b>.<..>" (nn/attention.hpp),
///   "downsample<l>.convolution", from level l to l + 1,
///   "middle_block0.<..>", "middle_attention.<..>", "middle_block1.<..>",
///   "up<l>_block<b>.<..>", "up<l>_attention<b>.<..>", "upsample<l>.convolution", from level l to l - 1, l falling,
///   "output_norm", "output"
/// each followed by ".weight" and ".bias". tools/convert-torchcfm-unet maps the names of TorchCFM's network to these.
class UNet : public TimeNetwork {
 public:
  /// Uses every field but `hidden` and `dit`. Throws std::invalid_argument, naming the field, for a description that
  /// is not valid: a dimension that is not the image's, sizes that cannot be folded or halved, groups or heads that
  /// do not divide the channels, attention at a level that does not exist.
  UNet(const TimeNetworkDescription& description, Generator& rng);

  /// Without a vector for "no class" (unet.no_class is false), every point must have a label below classes().
  Tensor forward(const Tensor& x, const Tensor& t, const Indices& labels = {}) const override;

 private:
  // The layers between two skip connections; each part may be missing.
  struct Stage {
    std::shared_ptr<ConditionedBlock> block;
    std::shared_ptr<AttentionBlock> attention;
    std::shared_ptr<Layer> resample;
    Tensor forward(const Tensor& x, const Tensor& c) const;
  };

  Tensor condition(const Tensor& t, const Indices& labels) const;

  ImageShape image_;
  Index patch_;
  bool no_class_;
  Activation activation_;
  TimeEmbedding time_features_;
  std::shared_ptr<Sequential> time_;
  std::shared_ptr<Embedding> class_embedding_;  // null without classes
  std::shared_ptr<Conv2d> stem_;
  std::vector<Stage> down_, middle_, up_;
  std::shared_ptr<GroupNorm> output_norm_;
  std::shared_ptr<Conv2d> output_;
};

}  // namespace rill::nn
