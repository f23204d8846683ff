// A small convolutional network that tells classes of images apart, and whose features measure how alike they are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/random.hpp"
#include "nn/activation.hpp"
#include "nn/convolution.hpp"
#include "nn/dropout.hpp"
#include "nn/image_shape.hpp"
#include "nn/linear.hpp"
#include "nn/module.hpp"
#include "nn/normalization.hpp"

namespace rill::nn {

/// What an ImageClassifier is built from. Equal descriptions have parameters of equal names and shapes.
/// The default spends 7.5 million multiply-adds on an image of 28 x 28.
struct ImageClassifierDescription {
  ImageShape image = {};
  std::vector<Index> channels = {32, 64, 128};  ///< of each stage; the image is halved after every one
  Index convolutions = 1;                       ///< 3 x 3 ones in a stage
  Index norm_groups = 8;                        ///< groups of channels that are normalized together
  Index features = 128;                         ///< numbers that describe an image
  Index classes = 10;
  double dropout = 0.2;             ///< of the features, in training
  std::string activation = "relu";  ///< see nn/activation.hpp

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("image", self.image, {});
    visit("channels", self.channels, {.unit = "COUNTS", .help = "channels of each stage", .summary = "classifier {}"});
    visit("convolutions", self.convolutions, {.unit = "COUNT", .help = "convolutions of a stage"});
    visit("norm_groups", self.norm_groups,
          {.unit = "COUNT", .help = "groups of channels that are normalized together"});
    visit("features", self.features, {.unit = "COUNT", .help = "numbers that describe an image"});
    visit("classes", self.classes, {});
    visit("dropout", self.dropout, {.unit = "SHARE", .help = "units dropped in training"});
    visit("activation", self.activation, {.unit = "NAME", .names = activation_names, .summary = ", {}"});
  }
  friend bool operator==(const ImageClassifierDescription&, const ImageClassifierDescription&) = default;
};

/// A JSON object with one key per field, on one line; equal descriptions give equal text.
std::string to_json(const ImageClassifierDescription& description);
/// The inverse. Throws std::invalid_argument for text that is not JSON and for missing, unknown or mistyped keys.
ImageClassifierDescription parse_image_classifier_description(const std::string& json);

/// Stages of convolution, group norm and activation, each closed by max pooling over 2 x 2 (a last odd row or column
/// is dropped), then features = activation(linear(all that is left)) and logits = linear(dropout(features)).
/// Parameters: "stage0_convolution0.weight", "stage0_norm0.weight", ..., "features.weight", "output.weight", and
/// biases.
class ImageClassifier : public Module {
 public:
  /// Throws std::invalid_argument, naming the field, for sizes that make no network: no stages, an image that is
  /// smaller than 2^stages, groups that do not divide the channels, fewer than 2 classes, an unknown activation.
  ImageClassifier(const ImageClassifierDescription& description, Generator& rng);

  /// x: [N, height * width * channels], pixels in [-1, 1] -> [N, features], what the last layer tells classes from.
  /// Throws std::invalid_argument for another shape.
  Tensor features(const Tensor& x) const;
  /// features: [N, features] -> logits [N, classes]
  Tensor logits(const Tensor& features) const;
  /// x as for features() -> logits [N, classes], for cross_entropy.
  Tensor forward(const Tensor& x) const { return logits(features(x)); }

  const ImageClassifierDescription& description() const& { return description_; }
  const ImageClassifierDescription& description() const&& = delete;

 private:
  struct Convolution {
    std::shared_ptr<Conv2d> convolution;
    std::shared_ptr<GroupNorm> norm;
  };

  ImageClassifierDescription description_;
  Activation activation_;
  std::vector<std::vector<Convolution>> stages_;
  std::shared_ptr<Linear> features_;
  Dropout dropout_;
  std::shared_ptr<Linear> output_;
};

}  // namespace rill::nn
