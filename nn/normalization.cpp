#include "nn/normalization.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "nn/init.hpp"

namespace rill::nn {

GroupNorm::GroupNorm(Index groups, Index channels) : groups_(groups) {
  require(groups > 0 && channels > 0 && channels % groups == 0, "GroupNorm: ", groups, " groups of ", channels,
          " channels: expected groups that divide the channels");
  scale_ = register_parameter("weight", constant({channels}, 1));
  shift_ = register_parameter("bias", constant({channels}, 0));
}

Tensor GroupNorm::forward(const Tensor& x) const { return group_norm(x, groups_, scale_, shift_); }

Tensor GroupNorm::forward(const Tensor& x, const rill::Activation& f) const {
  return group_norm(x, groups_, scale_, shift_, f);
}

Tensor GroupNorm::forward(const Tensor& x, const Tensor& gain, const Tensor& offset, const rill::Activation& f) const {
  // (xhat s + b) (1 + g) + o = xhat (s (1 + g)) + (b (1 + g) + o)
  const Tensor factor = gain + 1;
  return group_norm(x, groups_, scale_ * factor, shift_ * factor + offset, f);
}

LayerNorm::LayerNorm(Index width) {
  require(width > 0, "LayerNorm: width ", width, ", expected at least 1");
  scale_ = register_parameter("weight", constant({width}, 1));
  shift_ = register_parameter("bias", constant({width}, 0));
}

Tensor LayerNorm::forward(const Tensor& x) const { return layer_norm(x, scale_, shift_); }

}  // namespace rill::nn
