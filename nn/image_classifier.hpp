// A small convolutional image classifier, whose features also measure the similarity of images.
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

/// The parameters of an ImageClassifier. Classifiers of equal descriptions have tensors of equal names and shapes.
/// The default takes 7.5 million multiply-adds for an image of 28 x 28.
struct ImageClassifierDescription {
  ImageShape image = {};
  std::vector<Index> channels = {32, 64, 128};  ///< of each stage; each halves the image at its end
  Index convolutions = 1;                       ///< 3 x 3 convolutions per stage
  Index norm_groups = 8;                        ///< groups of channels that are normalized together
  Index features = 128;                         ///< number of features of an image
  Index classes = 10;
  double dropout = 0.2;             ///< on the features, in training
  std::string activation = "relu";  ///< see nn/activation.hpp

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("image", self.image, {});
    visit("channels", self.channels, {.unit = "COUNTS", .help = "channels of each stage", .summary = "classifier {}"});
    visit("convolutions", self.convolutions, {.unit = "COUNT", .help = "convolutions per stage"});
    visit("norm_groups", self.norm_groups,
          {.unit = "COUNT", .help = "groups of channels that are normalized together"});
    visit("features", self.features, {.unit = "COUNT", .help = "number of features of an image"});
    visit("classes", self.classes, {});
    visit("dropout", self.dropout, {.unit = "SHARE", .help = "dropout probability in training"});
    visit("activation", self.activation, {.unit = "NAME", .names = activation_names, .summary = ", {}"});
  }
  friend bool operator==(const ImageClassifierDescription&, const ImageClassifierDescription&) = default;
};

/// A JSON object with one key per field, on one line; equal descriptions give equal text.
std::string to_json(const ImageClassifierDescription& description);
/// The inverse. Throws std::invalid_argument for text that is not JSON and for missing, unknown or mistyped keys.
ImageClassifierDescription parse_image_classifier_description(const std::string& json);

/// Stages of convolution, group norm and activation, each followed by 2 x 2 max pooling (a last odd row or column is
/// dropped); then features = activation(linear(flattened)) and logits = linear(dropout(features)).
/// Parameters: "stage0_convolution0.weight", "stage0_norm0.weight", ..., "features.weight", "output.weight", and
/// biases.
class ImageClassifier : public Module {
 public:
  /// Throws std::invalid_argument, naming the field, for invalid sizes: no stages, an image that is
  /// smaller than 2^stages, groups that do not divide the channels, fewer than 2 classes, an unknown activation.
  ImageClassifier(const ImageClassifierDescription& description, Generator& rng);

  /// x: [N, height * width * channels], pixels in [-1, 1] -> [N, features], the input of the last layer.
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
