#include "nn/residual_mlp.hpp"

#include <algorithm>
#include <string>

#include "autodiff/error.hpp"

namespace rill::nn {
namespace {

constexpr Index kCondition = 128;  // width of the embedding of time and class

}  // namespace

Tensor rms_norm(const Tensor& x) {
  constexpr double kEpsilon = 1e-6;  // a row of zeros stays zero
  return x / sqrt(mean(square(x), {.axes = {1}, .keep = true}) + kEpsilon);
}

ResidualBlock::ResidualBlock(Index width, Index condition, const std::string& activation, Generator& rng)
    : in_(register_module("in", std::make_shared<Linear>(width, width, rng))),
      scale_(register_module("scale", Linear::zeros(condition, width))),
      shift_(register_module("shift", Linear::zeros(condition, width))),
      out_(register_module("out", Linear::zeros(width, width))),
      activation_(activation) {}

Tensor ResidualBlock::forward(const Tensor& h, const Tensor& c) const {
  const Tensor units = in_->forward(rms_norm(h));
  return h + out_->forward(activation_.forward(units * (1 + scale_->forward(c)) + shift_->forward(c)));
}

ResidualMlp::ResidualMlp(const TimeNetworkDescription& description, Generator& rng)
    : TimeNetwork(description.dimension, description.classes),
      time_embedding_(description.time_embedding, description.time_frequencies),
      activation_(description.activation) {
  const std::vector<Index>& widths = description.hidden;
  require(!widths.empty(), "residual-mlp: no hidden sizes, expected one per block");
  const Index width = widths.front();
  require(width > 0 && std::count(widths.begin(), widths.end(), width) == std::ssize(widths),
          "residual-mlp: hidden sizes must be positive and equal, one per block: 1024,1024,1024,1024");

  time_ = register_module("time", std::make_shared<Linear>(time_embedding_.features(), kCondition, rng));
  if (classes() > 0) {
    class_embedding_ = register_module("class_embedding", std::make_shared<Embedding>(classes() + 1, kCondition, rng));
  }
  input_ = register_module("input", std::make_shared<Linear>(dimension(), width, rng));
  for (std::size_t i = 0; i < widths.size(); ++i) {
    blocks_.push_back(register_module("block" + std::to_string(i),
                                      std::make_shared<ResidualBlock>(width, kCondition, description.activation, rng)));
  }
  output_ = register_module("output", Linear::zeros(width, dimension()));
  gain_ = register_module("gain", Linear::zeros(kCondition, dimension()));
}

Tensor ResidualMlp::forward(const Tensor& x, const Tensor& t, const Indices& labels) const {
  check_input(x, t, labels);
  Tensor c = time_->forward(time_embedding_.forward(t));
  if (class_embedding_) c = c + class_embedding_->forward(class_rows(labels, x.dim(0)));
  c = activation_.forward(c);

  Tensor h = input_->forward(x);
  for (const auto& block : blocks_) h = block->forward(h, c);
  return output_->forward(rms_norm(h)) + gain_->forward(c) * x;
}

}  // namespace rill::nn
