#include "nn/attention.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::nn {

SelfAttention::SelfAttention(Index width, Index heads, bool zero_out, Generator& rng) : heads_(heads) {
  require(heads > 0 && width > 0 && width % heads == 0, "SelfAttention: ", heads, " heads of ", width,
          " channels: expected heads that divide the channels");
  q_ = register_module("q", std::make_shared<Linear>(width, width, rng));
  k_ = register_module("k", std::make_shared<Linear>(width, width, rng));
  v_ = register_module("v", std::make_shared<Linear>(width, width, rng));
  out_ = register_module("out", zero_out ? Linear::zeros(width, width) : std::make_shared<Linear>(width, width, rng));
}

Tensor SelfAttention::forward(const Tensor& x) const {
  const Tensor tokens = reshape(x, {-1, x.dim(2)});
  const auto project = [&](const Linear& layer) { return reshape(layer.forward(tokens), x.shape()); };
  const Tensor gathered = attention(project(*q_), project(*k_), project(*v_), heads_);
  return reshape(out_->forward(reshape(gathered, tokens.shape())), x.shape());
}

AttentionBlock::AttentionBlock(Index channels, Index heads, Index groups, Generator& rng)
    : norm_(register_module("norm", std::make_shared<GroupNorm>(groups, channels))),
      attention_(register_module("attention", std::make_shared<SelfAttention>(channels, heads, true, rng))) {}

Tensor AttentionBlock::forward(const Tensor& x) const {
  const Tensor places = reshape(norm_->forward(x), {x.dim(0), x.dim(1) * x.dim(2), x.dim(3)});
  return x + reshape(attention_->forward(places), x.shape());
}

}  // namespace rill::nn
