// Descriptions of time networks, which files of weights contain.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/real.hpp"
#include "nn/activation.hpp"
#include "nn/image_shape.hpp"
#include "nn/time_embedding.hpp"

namespace rill::nn {

/// The parameters of a UNet (nn/unet.hpp), besides the fields that all networks share. The channels of a level are
/// base_channels times its multiplier.
struct UNetDescription {
  Index base_channels = 32;
  std::vector<Index> multipliers = {1, 2, 2};  ///< one per level; each level after the first halves height and width
  Index blocks = 1;                            ///< residual blocks of a level on the way down; one more on the way up
  std::vector<Index> attention = {};           ///< levels whose blocks are followed by attention, counted from 0
  Index heads = 1;                             ///< of attention
  Index head_channels = 0;                     ///< channels per head, instead of the number of heads; 0 to use `heads`
  Index norm_groups = 32;                      ///< groups of channels that are normalized together
  double dropout = 0;                          ///< in every residual block, in training
  bool scale_shift = false;                    ///< time and class scale and shift units; else they are added
  Index patch = 1;       ///< side of squares folded into channels first: 2 turns 28 x 28 x 1 into 14 x 14 x 4
  bool no_class = true;  ///< the class embedding has a row for "no class"

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
          {.unit = "COUNT", .help = "channels per head, instead of the number of heads; 0 for --heads"});
    visit("norm_groups", self.norm_groups,
          {.unit = "COUNT", .help = "groups of channels that are normalized together"});
    visit("dropout", self.dropout, {.unit = "SHARE", .help = "dropout probability in training"});
    visit("scale_shift", self.scale_shift, {.help = "time and class scale and shift units instead of being added"});
    visit("patch", self.patch, {.unit = "PIXELS", .help = "side of the squares that are folded into channels"});
    visit("no_class", self.no_class, {.help = "the class embedding has a row for \"no class\", which guidance needs"});
  }
  friend bool operator==(const UNetDescription&, const UNetDescription&) = default;
};

/// The parameters of a Dit (nn/dit.hpp), besides the fields that all networks share.
struct DitDescription {
  Index patch = 4;      ///< side of the squares that become tokens
  Index width = 128;    ///< dimension of a token
  Index blocks = 6;     ///< transformer blocks
  Index heads = 4;      ///< of attention
  Index mlp_ratio = 4;  ///< hidden units of a block's perceptron, as a multiple of the width

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("patch", self.patch,
          {.unit = "PIXELS", .help = "side of the squares that become tokens", .summary = ", patches of {}"});
    visit("width", self.width, {.unit = "COUNT", .help = "dimension of a token", .summary = ", {} wide"});
    visit("blocks", self.blocks, {.unit = "COUNT", .help = "transformer blocks", .summary = ", blocks {}"});
    visit("heads", self.heads, {.unit = "COUNT", .help = "heads of attention"});
    visit("mlp_ratio", self.mlp_ratio,
          {.unit = "FACTOR", .help = "hidden units of a block's perceptron, as a multiple of the width"});
  }
  friend bool operator==(const DitDescription&, const DitDescription&) = default;
};

/// The kinds of time networks: mlp, residual-mlp, unet, dit.
std::vector<std::string> time_network_names();

/// The parameters of a TimeNetwork. Networks of equal descriptions have tensors of equal names and shapes.
struct TimeNetworkDescription {
  std::string kind = "mlp";                  ///< one of time_network_names(); each has a header of that name
  Index dimension = 2;                       ///< of a point; for an image, height * width * channels
  std::vector<Index> hidden = {64, 64, 64};  ///< mlp: the size of each hidden layer; residual-mlp: of each block
  std::string activation = "silu";           ///< see nn/activation.hpp; not used by dit
  std::string time_embedding = "plain";      ///< see nn/time_embedding.hpp
  Index time_frequencies = 8;                ///< for time embeddings with frequencies
  Index classes = 0;                         ///< number of labels; 0 for an unconditional model
  ImageShape image = {};                     ///< unet and dit: the shape of a point
  UNetDescription unet = {};                 ///< unet only
  DitDescription dit = {};                   ///< dit only

  /// Whether this kind treats points as images.
  bool sees_images() const { return kind == "unet" || kind == "dit"; }
  /// The shape of a point, for kinds that treat points as images.
  std::optional<ImageShape> image_shape() const { return sees_images() ? std::optional(image) : std::nullopt; }
  /// Fills in what follows from the data.
  void set_shape(Index of_point, Index of_labels, const ImageShape& of_image) {
    dimension = of_point;
    classes = of_labels;
    if (sees_images()) image = of_image;
  }

  /// Visits the fields that this kind uses. `kind` comes first, so a visitor may set it.
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

/// A lower bound on the numbers that the network saves per point for its gradient; for images, those of the first
/// layer.
double units_kept(const TimeNetworkDescription& description);

/// A JSON object with one key per field that the kind uses, on one line; equal descriptions give equal text.
std::string to_json(const TimeNetworkDescription& description);

/// The inverse; fields that the kind does not use keep their defaults. Throws std::invalid_argument for text that is
/// not JSON and for missing, unknown or mistyped keys.
TimeNetworkDescription parse_time_network_description(const std::string& json);

}  // namespace rill::nn
