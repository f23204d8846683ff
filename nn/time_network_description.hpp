// A network as text, so that a file of weights says which network they belong to.
#pragma once

#include <string>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/real.hpp"
#include "nn/activation.hpp"
#include "nn/image_shape.hpp"
#include "nn/time_embedding.hpp"

namespace rill::nn {

/// What a UNet (nn/unet.hpp) is built from besides the fields that all networks share. Channels below are those of a
/// level: base_channels times its multiplier.
struct UNetDescription {
  Index base_channels = 32;
  std::vector<Index> multipliers = {1, 2, 2};  ///< one per level; each level after the first halves height and width
  Index blocks = 1;                            ///< residual blocks of a level on the way down; one more on the way up
  std::vector<Index> attention = {};           ///< levels whose blocks are followed by attention, counted from 0
  Index heads = 1;                             ///< of attention
  Index head_channels = 0;                     ///< channels of a head, in place of a number of heads; 0 for `heads`
  Index norm_groups = 32;                      ///< groups of channels that are normalized together
  double dropout = 0;                          ///< in every residual block, in training
  bool scale_shift = false;                    ///< time and class scale and shift a block's units; else they are added
  Index patch = 1;       ///< squares of this side become channels first: 28 x 28 x 1, 2: 14 x 14 x 4
  bool no_class = true;  ///< the classes' vectors end with one for "no class"

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("base_channels", self.base_channels,
          {.unit = "COUNT", .help = "channels of the first level", .option = "channels", .summary = ", {} channels"});
    visit("multipliers", self.multipliers,
          {.unit = "FACTORS", .help = "channels of each level, as multiples of the first", .summary = " x {}"});
    visit("blocks", self.blocks, {.unit = "COUNT", .help = "residual blocks of a level", .summary = ", blocks {}"});
    visit("attention", self.attention,
          {.unit = "LEVELS", .help = "levels with attention, counted from 0; empty for none"});
    visit("heads", self.heads, {.unit = "COUNT", .help = "heads of attention"});
    visit("head_channels", self.head_channels,
          {.unit = "COUNT", .help = "channels of a head, in place of a number of heads; 0 for --heads"});
    visit("norm_groups", self.norm_groups,
          {.unit = "COUNT", .help = "groups of channels that are normalized together"});
    visit("dropout", self.dropout, {.unit = "SHARE", .help = "units dropped in training"});
    visit("scale_shift", self.scale_shift, {.help = "time and class scale and shift units instead of being added"});
    visit("patch", self.patch,
          {.unit = "PIXELS", .help = "side of the squares whose pixels become the channels of one place"});
    visit("no_class", self.no_class, {.help = "there is a vector for \"no class\", which guidance needs"});
  }
  friend bool operator==(const UNetDescription&, const UNetDescription&) = default;
};

/// What a Dit (nn/dit.hpp) is built from besides the fields that all networks share.
struct DitDescription {
  Index patch = 4;      ///< side of the squares that become tokens
  Index width = 128;    ///< numbers of a token
  Index blocks = 6;     ///< transformer blocks
  Index heads = 4;      ///< of attention
  Index mlp_ratio = 4;  ///< hidden units of a block's perceptron, as a multiple of the width

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("patch", self.patch,
          {.unit = "PIXELS", .help = "side of the squares that become tokens", .summary = ", patches of {}"});
    visit("width", self.width, {.unit = "COUNT", .help = "numbers of a token", .summary = ", {} wide"});
    visit("blocks", self.blocks, {.unit = "COUNT", .help = "transformer blocks", .summary = ", blocks {}"});
    visit("heads", self.heads, {.unit = "COUNT", .help = "heads of attention"});
    visit("mlp_ratio", self.mlp_ratio,
          {.unit = "FACTOR", .help = "hidden units of a block's perceptron, as a multiple of the width"});
  }
  friend bool operator==(const DitDescription&, const DitDescription&) = default;
};

/// The kinds of networks of a point and a time: mlp, residual-mlp, unet, dit.
std::vector<std::string> time_network_names();

/// What a TimeNetwork is built from. Equal descriptions have parameters of equal names and shapes.
struct TimeNetworkDescription {
  std::string kind = "mlp";                  ///< one of time_network_names(): the headers of these names
  Index dimension = 2;                       ///< numbers in a point; of an image, height * width * channels
  std::vector<Index> hidden = {64, 64, 64};  ///< mlp: the size of each hidden layer; residual-mlp: of each block
  std::string activation = "silu";           ///< see nn/activation.hpp; not of dit
  std::string time_embedding = "plain";      ///< see nn/time_embedding.hpp
  Index time_frequencies = 8;                ///< of a time embedding that has frequencies
  Index classes = 0;                         ///< number of labels; 0 for an unconditional model
  ImageShape image = {};                     ///< unet and dit: what a point is
  UNetDescription unet = {};                 ///< unet only
  DitDescription dit = {};                   ///< dit only

  /// True for the kinds that look at points as images.
  bool sees_images() const { return kind == "unet" || kind == "dit"; }

  /// The fields that this kind uses; the others are no part of its text. `kind` comes first, so a visitor may set it.
  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("kind", self.kind, {.unit = "KIND", .names = time_network_names, .option = "model", .summary = "{}"});
    const bool unet = self.kind == "unet", dit = self.kind == "dit";
    visit("dimension", self.dimension, {});
    if (!unet && !dit) {
      visit("hidden", self.hidden,
            {.unit = "SIZES", .help = "units of each hidden layer or residual block", .summary = " {}"});
    }
    if (!dit) {
      visit("activation", self.activation, {.unit = "NAME", .names = activation_names, .summary = ", {}"});
    }
    visit("time_embedding", self.time_embedding,
          {.unit = "KIND", .names = time_embedding_names, .summary = ", {} time"});
    visit("time_frequencies", self.time_frequencies,
          {.unit = "COUNT",
           .help = "frequencies of the time embedding",
           .only = {"time-embedding", self.time_embedding, {"fourier", "sinusoidal", "unscaled"}}});
    visit("classes", self.classes, {});
    if (self.sees_images()) visit("image", self.image, {});
    if (unet) visit("unet", self.unet, {});
    if (dit) visit("dit", self.dit, {});
  }
  friend bool operator==(const TimeNetworkDescription&, const TimeNetworkDescription&) = default;
};

/// Numbers that the network must keep of a point for its gradient, at least: of an image those of its first layer.
double units_kept(const TimeNetworkDescription& description);

/// A JSON object with one key per field that the kind uses, on one line; equal descriptions give equal text.
std::string to_json(const TimeNetworkDescription& description);

/// The inverse; fields that the kind does not use keep their defaults. Throws std::invalid_argument for text that is
/// not JSON and for missing, unknown or mistyped keys.
TimeNetworkDescription parse_time_network_description(const std::string& json);

}  // namespace rill::nn
