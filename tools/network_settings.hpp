// Which network is trained, of all kinds there are.
#pragma once

#include <string>
#include <vector>

#include "nn/image_classifier.hpp"
#include "nn/image_shape.hpp"
#include "nn/time_network_description.hpp"
#include "tools/cli/options.hpp"

namespace rill::tools {

/// Options of several kinds share a name where they mean the same.
struct NetworkSettings {
  std::string kind = "mlp";  ///< one of nn::TimeNetworkDescription's, or classifier
  std::vector<Index> hidden = {64, 64, 64};
  std::string activation = "silu", time_embedding = "plain";
  Index time_frequencies = 8;

  // Of networks for images. Empty lists and zeros stand for the kind's own default until complete() puts it there.
  std::vector<Index> channels, multipliers, attention;
  Index blocks = 0, heads = 0, patch = 0, norm_groups = 0, width = 0, convolutions = 0, features = 0;
  double dropout = 0;
  bool scale_shift = false;

  /// Declares all of them; they must outlive the options.
  void declare(Options& options);
  /// Fills in the kind's defaults. Throws UsageError for what no kind can be built with.
  void complete();
  /// Tells the options which of them the chosen kind does not have: see Options::refuse_unused().
  void refuse_unused(Options& options) const;
  /// The names of all options.
  static std::vector<std::string> names();

  bool is_classifier() const { return kind == "classifier"; }
  /// True for the kinds that look at images as such.
  bool needs_images() const { return kind == "unet" || kind == "dit" || is_classifier(); }

  /// What nn::make_time_network() is to build for points of so many numbers, which are images of this size.
  nn::TimeNetworkDescription model(Index dimension, const nn::ImageShape& image, Index classes) const;
  nn::ImageClassifierDescription classifier(const nn::ImageShape& image, Index classes) const;
};

}  // namespace rill::tools
