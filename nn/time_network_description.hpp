// A network as text, so that a file of weights says which network they belong to.
#pragma once

#include <string>
#include <vector>

#include "autodiff/real.hpp"
#include "nn/image_shape.hpp"

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
  Index norm_groups = 32;                      ///< groups of channels that are normalised together
  double dropout = 0;                          ///< in every residual block, in training
  bool scale_shift = false;                    ///< time and class scale and shift a block's units; else they are added
  Index patch = 1;       ///< squares of this side become channels first: 28 x 28 x 1, 2: 14 x 14 x 4
  bool no_class = true;  ///< the classes' vectors end with one for "no class"

  /// Calls visit(key, field) for every field, in the order of the JSON text.
  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("base_channels", self.base_channels);
    visit("multipliers", self.multipliers);
    visit("blocks", self.blocks);
    visit("attention", self.attention);
    visit("heads", self.heads);
    visit("head_channels", self.head_channels);
    visit("norm_groups", self.norm_groups);
    visit("dropout", self.dropout);
    visit("scale_shift", self.scale_shift);
    visit("patch", self.patch);
    visit("no_class", self.no_class);
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

  /// Calls visit(key, field) for every field, in the order of the JSON text.
  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("patch", self.patch);
    visit("width", self.width);
    visit("blocks", self.blocks);
    visit("heads", self.heads);
    visit("mlp_ratio", self.mlp_ratio);
  }
  friend bool operator==(const DitDescription&, const DitDescription&) = default;
};

/// What a TimeNetwork is built from. Equal descriptions have parameters of equal names and shapes.
struct TimeNetworkDescription {
  std::string kind = "mlp";                  ///< mlp, residual-mlp, unet or dit: the headers of these names
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

  /// Calls visit(key, field) for the fields that this kind uses, in the order of the JSON text; the others are no part
  /// of it. `kind` comes first, so a visitor may set it.
  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("kind", self.kind);
    const bool unet = self.kind == "unet", dit = self.kind == "dit";
    visit("dimension", self.dimension);
    if (!unet && !dit) visit("hidden", self.hidden);
    if (!dit) visit("activation", self.activation);
    visit("time_embedding", self.time_embedding);
    visit("time_frequencies", self.time_frequencies);
    visit("classes", self.classes);
    if (self.sees_images()) visit("image", self.image);
    if (unet) visit("unet", self.unet);
    if (dit) visit("dit", self.dit);
  }
  friend bool operator==(const TimeNetworkDescription&, const TimeNetworkDescription&) = default;
};

/// A line for people: "mlp 64-64-64, silu, plain time".
std::string text(const TimeNetworkDescription& description);

/// Numbers that the network must keep of a point for its gradient, at least: of an image those of its first layer.
double units_kept(const TimeNetworkDescription& description);

/// A JSON object with one key per field that the kind uses, on one line; equal descriptions give equal text.
std::string to_json(const TimeNetworkDescription& description);

/// The inverse; fields that the kind does not use keep their defaults. Throws std::invalid_argument for text that is
/// not JSON and for missing, unknown or mistyped keys.
TimeNetworkDescription parse_time_network_description(const std::string& json);

}  // namespace rill::nn
