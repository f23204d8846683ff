#include "nn/conditioned_block.hpp"

#include "autodiff/ops.hpp"

namespace rill::nn {

ConditionedBlock::ConditionedBlock(Index in, Index out, Index condition, const ConditionedBlockOptions& options,
                                   Generator& rng)
    : scale_shift_(options.scale_shift),
      activation_(options.activation),
      dropout_(options.dropout),
      in_norm_(register_module("in_norm", std::make_shared<GroupNorm>(options.norm_groups, in))),
      in_(register_module("in", std::make_shared<Conv2d>(in, out, 3, rng, same_size(3)))),
      condition_(
          register_module("condition", std::make_shared<Linear>(condition, options.scale_shift ? 2 * out : out, rng))),
      out_norm_(register_module("out_norm", std::make_shared<GroupNorm>(options.norm_groups, out))),
      out_(register_module("out", Conv2d::zeros(out, out, 3, same_size(3)))) {
  if (in != out) skip_ = register_module("skip", std::make_shared<Conv2d>(in, out, 1, rng));
}

Tensor ConditionedBlock::forward(const Tensor& x, const Tensor& c) const {
  const rill::Activation& f = activation_.function();
  Tensor h = in_->forward(in_norm_->forward(x, f));
  const Tensor steer = condition_->forward(c);
  const Index samples = h.dim(0), channels = h.dim(3);
  if (scale_shift_) {
    h = out_norm_->forward(h, slice(steer, 1, 0, channels), slice(steer, 1, channels, 2 * channels), f);
  } else {
    h = out_norm_->forward(h + reshape(steer, {samples, 1, 1, channels}), f);
  }
  return (skip_ ? skip_->forward(x) : x) + out_->forward(dropout_.forward(h));
}

}  // namespace rill::nn
