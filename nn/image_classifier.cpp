#include "nn/image_classifier.hpp"

#include "autodiff/description_json.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "nn/init.hpp"

namespace rill::nn {

std::string to_json(const ImageClassifierDescription& description) { return description::to_json(description); }

ImageClassifierDescription parse_image_classifier_description(const std::string& json) {
  return description::parse<ImageClassifierDescription>(json, "image classifier description");
}

ImageClassifier::ImageClassifier(const ImageClassifierDescription& description, Generator& rng)
    : description_(description), activation_(description.activation), dropout_(description.dropout) {
  check(description.image, "image classifier");
  require(!description.channels.empty(), "image classifier: no channels, expected the channels of each stage: 32,64");
  require(description.convolutions > 0, "image classifier: ", description.convolutions,
          " convolutions in a stage, expected at least 1");
  for (const Index channels : description.channels) check_size("image classifier", "channels", channels);
  check_size("image classifier", "features", description.features);
  check_size("image classifier", "classes", description.classes);
  require(description.classes > 1, "image classifier: ", description.classes, " classes, expected at least 2");

  constexpr Index kKernel = 3;
  Index height = description.image.height, width = description.image.width, in = description.image.channels;
  for (std::size_t s = 0; s < description.channels.size(); ++s) {
    const Index out = description.channels[s];
    std::vector<Convolution>& stage = stages_.emplace_back();
    for (Index i = 0; i < description.convolutions; ++i) {
      const std::string part = "stage" + std::to_string(s), number = std::to_string(i);
      stage.push_back(
          {register_module(part + "_convolution" + number,
                           std::make_shared<Conv2d>(in, out, kKernel, rng, same_size(kKernel))),
           register_module(part + "_norm" + number, std::make_shared<GroupNorm>(description.norm_groups, out))});
      in = out;
    }
    height /= 2;
    width /= 2;
  }
  require(height > 0 && width > 0, "image classifier: images of ", description.image.height, " x ",
          description.image.width, " cannot be halved by ", description.channels.size(),
          " stages; take fewer stages or larger images");
  features_ =
      register_module("features", std::make_shared<Linear>(Shape{height, width, in}.size(), description.features, rng));
  output_ = register_module("output", std::make_shared<Linear>(description.features, description.classes, rng));
}

Tensor ImageClassifier::features(const Tensor& x) const {
  require(x.rank() == 2 && x.dim(1) == description_.image.size(), "image classifier: x has shape ", x.shape(),
          ", expected [N, ", description_.image.size(), "]");
  Tensor h = as_images(x, description_.image);
  for (const std::vector<Convolution>& stage : stages_) {
    for (const auto& [convolution, norm] : stage) {
      h = norm->forward(convolution->forward(h), activation_.function());
    }
    h = max_pool(h, {.window = 2});
  }
  return features_->forward(as_rows(h), activation_.function());
}

Tensor ImageClassifier::logits(const Tensor& features) const { return output_->forward(dropout_.forward(features)); }

}  // namespace rill::nn
