#include "nn/time_mlp.hpp"

#include "autodiff/ops.hpp"

namespace rill::nn {
namespace {

constexpr Index kClassFeatures = 16;  // enough for tens of classes, and few compared with 64 hidden units

}  // namespace

TimeMlp::TimeMlp(const TimeNetworkDescription& description, Generator& rng)
    : TimeNetwork(description.dimension, description.classes),
      time_embedding_(description.time_embedding, description.time_frequencies) {
  Index width = time_embedding_.features() + dimension();
  if (classes() > 0) {
    class_embedding_ =
        register_module("class_embedding", std::make_shared<Embedding>(classes() + 1, kClassFeatures, rng));
    width += kClassFeatures;
  }
  layers_ = register_module("layers",
                            std::make_shared<Mlp>(width, description.hidden, dimension(), description.activation, rng));
}

Tensor TimeMlp::forward(const Tensor& x, const Tensor& t, const Indices& labels) const {
  check_input(x, t, labels);
  const Tensor time = time_embedding_.forward(t);
  if (!class_embedding_) return layers_->forward(concatenate({time, x}, 1));
  return layers_->forward(concatenate({time, x, class_embedding_->forward(class_rows(labels, x.dim(0)))}, 1));
}

}  // namespace rill::nn
