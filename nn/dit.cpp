#include "nn/dit.hpp"

#include <cmath>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "nn/activation.hpp"
#include "nn/init.hpp"
#include "nn/patches.hpp"

namespace rill::nn {
namespace {

constexpr double kEpsilon = 1e-6;  // of the layer norms, as in the paper's network

// Columns [part width, (part + 1) width) of a modulation layer's output.
Tensor part_of(const Tensor& modulation, Index part, Index width) {
  return slice(modulation, 1, part * width, (part + 1) * width);
}

// norm(h) (1 + scale) + shift
Tensor modulated(const Tensor& h, const Tensor& shift, const Tensor& scale) {
  return layer_norm(h, scale + 1, shift, kEpsilon);
}

void check_description(const TimeNetworkDescription& description) {
  const ImageShape& image = description.image;
  const DitDescription& dit = description.dit;
  check(image, description.dimension, "dit");
  check_size("dit", "patch", dit.patch);
  check_size("dit", "width", dit.width);
  check_size("dit", "mlp_ratio", dit.mlp_ratio);
  require(image.height % dit.patch == 0 && image.width % dit.patch == 0, "dit: patch is ", dit.patch,
          ", expected a divisor of the image's ", image.height, " x ", image.width);
  require(dit.width % 4 == 0, "dit: width is ", dit.width, ", expected a multiple of 4, for the positional embedding");
  require(dit.heads > 0 && dit.width % dit.heads == 0, "dit: heads is ", dit.heads, ", expected a divisor of width, ",
          dit.width);
  require(dit.blocks > 0, "dit: blocks is ", dit.blocks, ", expected at least 1");
}

}  // namespace

Tensor grid_positions(Index rows, Index columns, Index width) {
  require(rows > 0 && columns > 0 && width > 0 && width % 4 == 0, "grid_positions: ", rows, " x ", columns,
          " tokens of width ", width, ": expected positive numbers and a width that is a multiple of 4");
  Tensor positions = Tensor::empty({1, rows * columns, width});
  const Index waves = width / 4;
  Real* out = positions.data();
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < columns; ++c, out += width) {
      for (Index k = 0; k < waves; ++k) {
        const double omega = std::pow(10000, -static_cast<double>(k) / static_cast<double>(waves));
        const double down = static_cast<double>(r) * omega, along = static_cast<double>(c) * omega;
        out[k] = static_cast<Real>(std::sin(down));
        out[waves + k] = static_cast<Real>(std::cos(down));
        out[2 * waves + k] = static_cast<Real>(std::sin(along));
        out[3 * waves + k] = static_cast<Real>(std::cos(along));
      }
    }
  }
  return positions;
}

DitBlock::DitBlock(Index width, Index heads, Index mlp_ratio, Generator& rng)
    : modulation_(register_module("modulation", Linear::zeros(width, 6 * width))),
      attention_(register_module("attention", std::make_shared<SelfAttention>(width, heads, false, rng))),
      in_(register_module("in", std::make_shared<Linear>(width, mlp_ratio * width, rng))),
      out_(register_module("out", std::make_shared<Linear>(mlp_ratio * width, width, rng))) {}

Tensor DitBlock::forward(const Tensor& h, const Tensor& c) const {
  static const Activation gelu_tanh("gelu_tanh");
  const Index samples = h.dim(0), width = h.dim(2);
  const Tensor modulation = modulation_->forward(c);
  const auto part = [&](Index i) { return part_of(modulation, i, width); };
  const auto gate = [&](Index i) { return reshape(part(i), {samples, 1, width}); };

  const Tensor seen = h + gate(2) * attention_->forward(modulated(h, part(0), part(1)));
  const Tensor tokens = reshape(modulated(seen, part(3), part(4)), {-1, width});
  return seen + gate(5) * reshape(out_->forward(in_->forward(tokens, gelu_tanh.function())), h.shape());
}

Dit::Dit(const TimeNetworkDescription& description, Generator& rng)
    : TimeNetwork(description.dimension, description.classes),
      image_(description.image),
      patch_(description.dit.patch),
      width_(description.dit.width),
      time_features_(description.time_embedding, description.time_frequencies) {
  check_description(description);
  const DitDescription& dit = description.dit;
  const Index width = width_, square = patch_ * patch_ * image_.channels;
  time_ =
      register_module("time", std::make_shared<Sequential>(std::vector<std::shared_ptr<Layer>>{
                                  std::make_shared<Linear>(time_features_.features(), width, rng),
                                  std::make_shared<Activation>("silu"), std::make_shared<Linear>(width, width, rng)}));
  if (classes() > 0) {
    class_embedding_ = register_module("class_embedding", std::make_shared<Embedding>(classes() + 1, width, rng));
  }
  tokens_ = register_module("tokens", std::make_shared<Linear>(square, width, rng));
  for (Index i = 0; i < dit.blocks; ++i) {
    blocks_.push_back(
        register_module("block" + std::to_string(i), std::make_shared<DitBlock>(width, dit.heads, dit.mlp_ratio, rng)));
  }
  modulation_ = register_module("modulation", Linear::zeros(width, 2 * width));
  output_ = register_module("output", Linear::zeros(width, square));
}

Tensor Dit::forward(const Tensor& x, const Tensor& t, const Indices& labels) const {
  check_input(x, t, labels);
  Tensor c = time_->forward(time_features_.forward(t));
  if (class_embedding_) c = c + class_embedding_->forward(class_rows(labels, x.dim(0)));
  c = silu(c);

  const Tensor squares = fold_patches(as_images(x, image_), patch_);
  std::call_once(positions_made_,
                 [&] { positions_ = grid_positions(image_.height / patch_, image_.width / patch_, width_); });
  const Index samples = x.dim(0), count = positions_.dim(1), width = width_;
  const Tensor tokens = tokens_->forward(reshape(squares, {samples * count, squares.dim(3)}));
  Tensor h = reshape(tokens, {samples, count, width}) + positions_;
  for (const auto& block : blocks_) h = block->forward(h, c);

  const Tensor modulation = modulation_->forward(c);
  h = modulated(h, part_of(modulation, 0, width), part_of(modulation, 1, width));
  const Tensor pixels = output_->forward(reshape(h, {samples * count, width}));
  return as_rows(unfold_patches(reshape(pixels, squares.shape()), patch_));
}

}  // namespace rill::nn
