#include "nn/mlp.hpp"

#include <memory>
#include <vector>

#include "autodiff/error.hpp"
#include "nn/activation.hpp"
#include "nn/linear.hpp"

namespace rill::nn {
namespace {

constexpr Index kClassFeatures = 16;  // room for tens of classes, and little beside 64 hidden units

}  // namespace

Mlp::Mlp(const ModelDescription& description, Generator& rng)
    : VelocityModel(description.dimension, description.classes),
      time_embedding_(description.time_embedding, description.time_frequencies) {
  Index width = time_embedding_.features() + dimension();
  if (classes() > 0) {
    class_embedding_ =
        register_module("class_embedding", std::make_shared<Embedding>(classes() + 1, kClassFeatures, rng));
    width += kClassFeatures;
  }
  std::vector<std::shared_ptr<Layer>> layers;
  for (const Index hidden : description.hidden) {
    require(hidden > 0, "mlp: a hidden layer of size ", hidden, ", expected at least 1");
    layers.push_back(std::make_shared<Linear>(width, hidden, rng));
    layers.push_back(std::make_shared<Activation>(description.activation));
    width = hidden;
  }
  layers.push_back(std::make_shared<Linear>(width, dimension(), rng));
  layers_ = register_module("layers", std::make_shared<Sequential>(std::move(layers)));
}

Tensor Mlp::forward(const Tensor& x, const Tensor& t, const Indices& labels) const {
  check_input(x, t, labels);
  const Tensor time = time_embedding_.forward(t);
  if (!class_embedding_) return layers_->forward(concatenate({time, x}, 1));
  return layers_->forward(concatenate({time, x, class_embedding_->forward(class_rows(labels, x.dim(0)))}, 1));
}

}  // namespace rill::nn
