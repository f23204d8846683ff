#include "flow/bijection/coupling.hpp"

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"
#include "nn/activation.hpp"
#include "nn/convolution.hpp"
#include "nn/linear.hpp"
#include "nn/sequential.hpp"

namespace rill::flow {
namespace {

Index parameters_each(const CouplingLayerOptions& options) {
  return options.transform == "spline" ? spline_parameters(options.bins) : 2;
}

// Layers to the hidden sizes with activations, and a last one of zeros.
std::shared_ptr<nn::Layer> perceptron(Index inputs, const CouplingLayerOptions& options, Index outputs,
                                      Generator& rng) {
  std::vector<std::shared_ptr<nn::Layer>> layers;
  for (const Index units : options.hidden) {
    require(units > 0, "hidden: a layer of size ", units, ", expected at least 1");
    layers.push_back(std::make_shared<nn::Linear>(inputs, units, rng));
    layers.push_back(std::make_shared<nn::Activation>(options.activation));
    inputs = units;
  }
  layers.push_back(nn::Linear::zeros(inputs, outputs));
  return std::make_shared<nn::Sequential>(std::move(layers));
}

std::shared_ptr<nn::Layer> convolutions(Index inputs, const CouplingLayerOptions& options, Index outputs,
                                        Generator& rng) {
  const Index channels = options.channels;
  return std::make_shared<nn::Sequential>(std::vector<std::shared_ptr<nn::Layer>>{
      std::make_shared<nn::Conv2d>(inputs, channels, 3, rng, nn::same_size(3)),
      std::make_shared<nn::Activation>(options.activation), std::make_shared<nn::Conv2d>(channels, channels, 1, rng),
      std::make_shared<nn::Activation>(options.activation), nn::Conv2d::zeros(channels, outputs, 3, nn::same_size(3))});
}

Tensor log_scale(const Tensor& raw) { return 2 * tanh(raw / 2); }

}  // namespace

std::vector<std::string> coupling_transform_names() { return {"affine", "spline"}; }

Coupling::Coupling(const nn::ImageShape& image, Index condition, bool keeps_last, const CouplingLayerOptions& options,
                   Generator& rng)
    : image_(image),
      keeps_last_(keeps_last),
      kept_(keeps_last ? image.channels - image.channels / 2 : image.channels / 2),
      others_(image.channels - kept_),
      options_(options) {
  require_known("transform", options.transform, coupling_transform_names());
  require(1 <= options.bins && options.bins < 500, "bins: expected 1 to 499, got ", options.bins);
  require(options.bound > 0, "bound: expected a number above 0, got ", options.bound);
  // Of points on a line nothing can be kept, and the parameters depend on the condition alone, or are constant.
  if (others_ == 0) std::swap(kept_, others_);
  const Index inputs = std::max<Index>(1, kept_ + condition), outputs = others_ * parameters_each(options);
  const bool is_image = image.height * image.width > 1;
  conditioner_ = register_module("conditioner", is_image ? convolutions(inputs, options, outputs, rng)
                                                         : perceptron(inputs, options, outputs, rng));
}

Coupling::Parts Coupling::split(const Tensor& x) const {
  const Tensor rows = reshape(x, {-1, image_.channels});
  const auto columns = [&](Index begin, Index end) {
    return begin < end ? slice(rows, 1, begin, end) : Tensor::empty({rows.dim(0), 0});
  };
  if (keeps_last_) return {columns(others_, image_.channels), columns(0, others_)};
  return {columns(0, kept_), columns(kept_, image_.channels)};
}

Mapped Coupling::joined(const Parts& parts, const Warped& warped, Index points) const {
  const Tensor y = kept_ == 0    ? warped.y
                   : keeps_last_ ? concatenate({warped.y, parts.kept}, 1)
                                 : concatenate({parts.kept, warped.y}, 1);
  const Tensor slopes = reshape(warped.log_slope, {points, image_.height * image_.width * others_});
  return {reshape(y, {points, image_.size()}), sum(slopes, {.axes = {1}})};
}

Tensor Coupling::parameters(const Tensor& kept, const Tensor& condition, Index points) const {
  const Index positions = image_.height * image_.width;
  Tensor inputs = kept;
  if (condition.defined()) {
    const Index width = condition.dim(1);
    Tensor everywhere = condition;
    if (positions > 1) {
      everywhere = reshape(broadcast_to(reshape(condition, {points, 1, width}), {points, positions, width}),
                           {points * positions, width});
    }
    inputs = kept_ == 0 ? everywhere : concatenate({kept, everywhere}, 1);
  } else if (kept_ == 0) {
    inputs = Tensor::ones({kept.dim(0), 1});
  }
  if (positions > 1) inputs = reshape(inputs, {points, image_.height, image_.width, inputs.dim(1)});
  return reshape(conditioner_->forward(inputs), {points * positions, -1});
}

Mapped Coupling::forward(const Tensor& x, const Tensor& condition) const {
  const Parts parts = split(x);
  const Tensor raw = parameters(parts.kept, condition, x.dim(0));
  if (options_.transform == "spline") {
    return joined(parts, rational_quadratic(parts.other, raw, options_.bins, options_.bound), x.dim(0));
  }
  const Tensor scale = log_scale(slice(raw, 1, 0, others_)), shift = slice(raw, 1, others_, 2 * others_);
  return joined(parts, {parts.other * exp(scale) + shift, scale}, x.dim(0));
}

Mapped Coupling::inverse(const Tensor& y, const Tensor& condition) const {
  const NoGrad no_grad;
  const Parts parts = split(y);
  const Tensor raw = parameters(parts.kept, condition, y.dim(0));
  if (options_.transform == "spline") {
    return joined(parts, inverse_rational_quadratic(parts.other, raw, options_.bins, options_.bound), y.dim(0));
  }
  const Tensor scale = log_scale(slice(raw, 1, 0, others_)), shift = slice(raw, 1, others_, 2 * others_);
  return joined(parts, {(parts.other - shift) * exp(-scale), -scale}, y.dim(0));
}

}  // namespace rill::flow
