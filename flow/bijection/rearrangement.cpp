#include "flow/bijection/rearrangement.hpp"

#include <cmath>
#include <numeric>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "nn/patches.hpp"

namespace rill::flow {
namespace {

Tensor no_change(const Tensor& x) { return Tensor::zeros({x.dim(0)}); }

constexpr double kAlpha = 0.05;

// ln |dy/dx| of the logit, summed: y = logit(p), dp/dx = (1 - 2 alpha) / 2, and p (1 - p) = e^-(softplus(y) +
// softplus(-y)).
Tensor log_determinant_of_logit(const Tensor& y) {
  return sum(softplus(y) + softplus(-y) + std::log((1 - 2 * kAlpha) / 2), {.axes = {1}});
}

}  // namespace

Permutation::Permutation(const std::vector<Index>& order) {
  const Index channels = std::ssize(order);
  matrix_ = Tensor::zeros({channels, channels});
  for (Index c = 0; c < channels; ++c) matrix_.data()[c * channels + order[static_cast<std::size_t>(c)]] = 1;
}

Mapped Permutation::forward(const Tensor& x, const Tensor&) const {
  return {reshape(linear(reshape(x, {-1, matrix_.dim(0)}), matrix_), x.shape()), no_change(x)};
}

Mapped Permutation::inverse(const Tensor& y, const Tensor&) const {
  const NoGrad no_grad;
  return {reshape(matmul(reshape(y, {-1, matrix_.dim(0)}), matrix_), y.shape()), no_change(y)};
}

Squeeze::Squeeze(const nn::ImageShape& image) : image_(image) {
  require(image.height % 2 == 0 && image.width % 2 == 0, "levels: images of ", image.height, " x ", image.width,
          " pixels cannot be halved; use fewer levels");
}

Mapped Squeeze::forward(const Tensor& x, const Tensor&) const {
  return {nn::as_rows(nn::fold_patches(nn::as_images(x, image_), 2)), no_change(x)};
}

Mapped Squeeze::inverse(const Tensor& y, const Tensor&) const {
  const NoGrad no_grad;
  return {nn::as_rows(nn::unfold_patches(nn::as_images(y, result()), 2)), no_change(y)};
}

Mapped Logit::forward(const Tensor& x, const Tensor&) const {
  const Tensor p = (0.5 - kAlpha) * (x + 1) + kAlpha;
  const Tensor y = log(p) - log(1 - p);
  return {y, log_determinant_of_logit(y)};
}

Mapped Logit::inverse(const Tensor& y, const Tensor&) const {
  const NoGrad no_grad;
  return {(sigmoid(y) - kAlpha) / (0.5 - kAlpha) - 1, -log_determinant_of_logit(y)};
}

MultiScale::MultiScale(const nn::ImageShape& image, std::shared_ptr<Bijection> rest)
    : image_(image), rest_(register_module("rest", std::move(rest))) {}

MultiScale::Halves MultiScale::split(const Tensor& x) const {
  const Tensor pixels = reshape(x, {x.dim(0), -1, image_.channels});
  const Index half = image_.channels / 2;
  return {nn::as_rows(slice(pixels, 2, 0, half)), nn::as_rows(slice(pixels, 2, half, image_.channels))};
}

Mapped MultiScale::forward(const Tensor& x, const Tensor& condition) const {
  const auto [leaving, staying] = split(x);
  const Mapped rest = rest_->forward(staying, condition);
  return {concatenate({leaving, rest.y}, 1), rest.log_determinant};
}

Mapped MultiScale::inverse(const Tensor& y, const Tensor& condition) const {
  const NoGrad no_grad;
  const Index half = image_.channels / 2, positions = image_.height * image_.width;
  const Tensor leaving = slice(y, 1, 0, positions * half);
  const Mapped rest = rest_->inverse(slice(y, 1, positions * half, y.dim(1)), condition);
  const Tensor pixels = concatenate(
      {reshape(leaving, {y.dim(0), positions, half}), reshape(rest.y, {y.dim(0), positions, image_.channels - half})},
      2);
  return {nn::as_rows(pixels), rest.log_determinant};
}

Tensor MultiScale::initialize(const Tensor& x, const Tensor& condition) {
  const auto [leaving, staying] = split(x);
  return concatenate({leaving, rest_->initialize(staying, condition)}, 1);
}

}  // namespace rill::flow
