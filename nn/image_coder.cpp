#include "nn/image_coder.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "nn/activation.hpp"
#include "nn/convolution.hpp"
#include "nn/linear.hpp"
#include "nn/mlp.hpp"
#include "nn/sequential.hpp"

namespace rill::nn {
namespace {

Tensor with_condition(const Tensor& x, const Tensor& condition) {
  return condition.defined() ? concatenate({x, condition}, 1) : x;
}

void check_quarter(const ImageShape& image) {
  check(image, "convolutional encoder");
  require(image.height % 4 == 0 && image.width % 4 == 0, "convolutional encoder: 4 does not divide images of ",
          image.height, " x ", image.width, " pixels; use the encoder mlp");
}

constexpr Conv2dOptions kHalve = {.stride = 2, .padding = 1};

}  // namespace

ConditionalMlp::ConditionalMlp(Index inputs, Index condition, Index outputs, const CoderOptions& options,
                               Generator& rng)
    : layers_(register_module(
          "layers", std::make_shared<Mlp>(inputs + condition, options.hidden, outputs, options.activation, rng))) {}

Tensor ConditionalMlp::forward(const Tensor& x, const Tensor& condition) const {
  return layers_->forward(with_condition(x, condition));
}

ImageEncoder::ImageEncoder(const ImageShape& image, Index condition, Index outputs, const CoderOptions& options,
                           Generator& rng)
    : image_(image) {
  check_quarter(image);
  const Index c = options.channels;
  convolutions_ = register_module(
      "convolutions",
      std::make_shared<Sequential>(std::vector<std::shared_ptr<Layer>>{
          std::make_shared<Conv2d>(image.channels, c, 3, rng, kHalve), std::make_shared<Activation>(options.activation),
          std::make_shared<Conv2d>(c, 2 * c, 3, rng, kHalve), std::make_shared<Activation>(options.activation)}));
  const Index features = image.height / 4 * (image.width / 4) * 2 * c;
  output_ = register_module("output", std::make_shared<Linear>(features + condition, outputs, rng));
}

Tensor ImageEncoder::forward(const Tensor& x, const Tensor& condition) const {
  return output_->forward(with_condition(as_rows(convolutions_->forward(as_images(x, image_))), condition));
}

ImageDecoder::ImageDecoder(Index inputs, Index condition, const ImageShape& image, Index outputs_per_pixel,
                           const CoderOptions& options, Generator& rng)
    : image_(image), channels_(options.channels), activation_(std::make_shared<Activation>(options.activation)) {
  check_quarter(image);
  const Index c = channels_, features = image.height / 4 * (image.width / 4) * 2 * c;
  input_ = register_module("input", std::make_shared<Linear>(inputs + condition, features, rng));
  first_ = register_module("first", std::make_shared<Conv2d>(2 * c, c, 3, rng, same_size(3)));
  second_ = register_module("second", std::make_shared<Conv2d>(c, outputs_per_pixel, 3, rng, same_size(3)));
}

Tensor ImageDecoder::forward(const Tensor& x, const Tensor& condition) const {
  const Tensor h = activation_->forward(input_->forward(with_condition(x, condition)));
  const Tensor quarter = reshape(h, {x.dim(0), image_.height / 4, image_.width / 4, 2 * channels_});
  const Tensor half = activation_->forward(first_->forward(upsample_nearest(quarter, 2)));
  return as_rows(second_->forward(upsample_nearest(half, 2)));
}

}  // namespace rill::nn
