#include "nn/unet.hpp"

#include <algorithm>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/ops.hpp"
#include "nn/init.hpp"
#include "nn/patches.hpp"

namespace rill::nn {
namespace {

Index heads_of(const UNetDescription& unet, Index channels) {
  return unet.head_channels > 0 ? channels / unet.head_channels : unet.heads;
}

void check_level(const UNetDescription& unet, Index level) {
  const Index channels = unet.base_channels * unet.multipliers[static_cast<std::size_t>(level)];
  require(unet.norm_groups > 0 && channels % unet.norm_groups == 0, "unet: norm_groups is ", unet.norm_groups,
          ", expected a divisor of the ", channels, " channels of level ", level);
  const bool last = level + 1 == std::ssize(unet.multipliers);  // the middle, which has attention, has the same width
  if (!last && std::count(unet.attention.begin(), unet.attention.end(), level) == 0) return;
  if (unet.head_channels > 0) {
    require(channels % unet.head_channels == 0, "unet: head_channels is ", unet.head_channels,
            ", expected a divisor of the ", channels, " channels of level ", level);
  } else {
    require(unet.heads > 0 && channels % unet.heads == 0, "unet: heads is ", unet.heads, ", expected a divisor of the ",
            channels, " channels of level ", level);
  }
}

void check_description(const TimeNetworkDescription& description) {
  const ImageShape& image = description.image;
  const UNetDescription& unet = description.unet;
  check(image, description.dimension, "unet");
  require(!unet.multipliers.empty(), "unet: no multipliers, expected one per level: 1,2,2");
  check_size("unet", "base_channels", unet.base_channels);
  for (const Index multiplier : unet.multipliers) check_size("unet", "a multiplier", multiplier);
  require(unet.blocks > 0, "unet: blocks is ", unet.blocks, ", expected at least 1");
  check_size("unet", "patch", unet.patch);
  require(unet.head_channels >= 0, "unet: head_channels is ", unet.head_channels, ", expected 0 or more");
  const Index levels = std::ssize(unet.multipliers);
  Index side = unet.patch;
  for (Index l = 0; l + 1 < levels && side <= std::max(image.height, image.width); ++l) side *= 2;
  require(image.height % side == 0 && image.width % side == 0, "unet: images of ", image.height, " x ", image.width,
          " in patches of ", unet.patch, " cannot be halved evenly ", levels - 1, " times; take ",
          "fewer multipliers or a smaller patch");
  for (Index l = 0; l < levels; ++l) check_level(unet, l);
  for (const Index level : unet.attention) {
    require(0 <= level && level < levels, "unet: attention at level ", level, ", expected 0 to ", levels - 1);
  }
}

}  // namespace

UNet::UNet(const TimeNetworkDescription& description, Generator& rng)
    : TimeNetwork(description.dimension, description.classes),
      image_(description.image),
      patch_(description.unet.patch),
      no_class_(description.unet.no_class),
      activation_(description.activation),
      time_features_(description.time_embedding, description.time_frequencies) {
  check_description(description);
  const UNetDescription& unet = description.unet;
  const Index levels = std::ssize(unet.multipliers), steer = 4 * unet.base_channels;
  const ConditionedBlockOptions options{.norm_groups = unet.norm_groups,
                                        .dropout = unet.dropout,
                                        .scale_shift = unet.scale_shift,
                                        .activation = description.activation};
  const auto channels_of = [&](Index level) {
    return unet.base_channels * unet.multipliers[static_cast<std::size_t>(level)];
  };
  const auto add_block = [&](const std::string& name, Index in, Index out) {
    return register_module(name, std::make_shared<ConditionedBlock>(in, out, steer, options, rng));
  };
  const auto add_attention = [&](const std::string& name, Index channels) {
    return register_module(name,
                           std::make_shared<AttentionBlock>(channels, heads_of(unet, channels), unet.norm_groups, rng));
  };
  const auto add_stage = [&](const std::string& part, Index level, Index block, Index in) {
    const Index out = channels_of(level);
    const std::string prefix = part + std::to_string(level) + "_", number = std::to_string(block);
    Stage stage{.block = add_block(prefix + "block" + number, in, out), .attention = nullptr, .resample = nullptr};
    if (std::count(unet.attention.begin(), unet.attention.end(), level) > 0) {
      stage.attention = add_attention(prefix + "attention" + number, out);
    }
    return stage;
  };

  time_ = register_module(
      "time", std::make_shared<Sequential>(std::vector<std::shared_ptr<Layer>>{
                  std::make_shared<Linear>(time_features_.features(), steer, rng),
                  std::make_shared<Activation>(description.activation), std::make_shared<Linear>(steer, steer, rng)}));
  if (classes() > 0) {
    const Index rows = classes() + (no_class_ ? 1 : 0);
    class_embedding_ = register_module("class_embedding", std::make_shared<Embedding>(rows, steer, rng));
  }

  const Index pixel = patch_ * patch_ * image_.channels;
  Index width = channels_of(0);
  stem_ = register_module("stem", std::make_shared<Conv2d>(pixel, width, 3, rng, same_size(3)));
  std::vector<Index> kept = {width};  // channels of the skip connections
  for (Index level = 0; level < levels; ++level) {
    for (Index b = 0; b < unet.blocks; ++b) {
      down_.push_back(add_stage("down", level, b, width));
      width = channels_of(level);
      kept.push_back(width);
    }
    if (level + 1 == levels) break;
    down_.emplace_back().resample =
        register_module("downsample" + std::to_string(level), std::make_shared<Downsample>(width, rng));
    kept.push_back(width);
  }

  middle_.emplace_back().block = add_block("middle_block0", width, width);
  middle_.back().attention = add_attention("middle_attention", width);
  middle_.emplace_back().block = add_block("middle_block1", width, width);

  for (Index level = levels - 1; level >= 0; --level) {
    for (Index b = 0; b <= unet.blocks; ++b) {
      up_.push_back(add_stage("up", level, b, width + kept.back()));
      kept.pop_back();
      width = channels_of(level);
    }
    if (level == 0) break;
    up_.back().resample = register_module("upsample" + std::to_string(level), std::make_shared<Upsample>(width, rng));
  }
  output_norm_ = register_module("output_norm", std::make_shared<GroupNorm>(unet.norm_groups, width));
  output_ = register_module("output", Conv2d::zeros(width, pixel, 3, same_size(3)));
}

Tensor UNet::Stage::forward(const Tensor& x, const Tensor& c) const {
  Tensor h = x;
  if (block) h = block->forward(h, c);
  if (attention) h = attention->forward(h);
  if (resample) h = resample->forward(h);
  return h;
}

Tensor UNet::condition(const Tensor& t, const Indices& labels) const {
  const Tensor time = time_->forward(time_features_.forward(t));
  if (!class_embedding_) return activation_.forward(time);
  const Indices rows = class_rows(labels, t.dim(0));
  require(no_class_ || std::count(rows.begin(), rows.end(), classes()) == 0,
          "unet: a point without a class, but this network has no vector for that (no_class is false); "
          "give every point a label from 0 to ",
          classes() - 1);
  return activation_.forward(time + class_embedding_->forward(rows));
}

Tensor UNet::forward(const Tensor& x, const Tensor& t, const Indices& labels) const {
  check_input(x, t, labels);
  const Tensor c = condition(t, labels);
  Tensor h = stem_->forward(fold_patches(as_images(x, image_), patch_));
  memory::Vector<Tensor> kept = {h};
  for (const Stage& stage : down_) kept.push_back(h = stage.forward(h, c));
  for (const Stage& stage : middle_) h = stage.forward(h, c);
  for (const Stage& stage : up_) {
    h = stage.forward(concatenate({h, kept.back()}, 3), c);
    kept.pop_back();
  }
  h = output_->forward(output_norm_->forward(h, activation_.function()));
  return as_rows(unfold_patches(h, patch_));
}

}  // namespace rill::nn
