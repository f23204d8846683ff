#include "nn/classification.hpp"

#include <utility>

namespace rill::nn {

Classification::Classification(std::shared_ptr<const ImageClassifier> classifier)
    : classifier_(std::move(classifier)) {}

Tensor Classification::loss(const Example& example) const {
  return cross_entropy(classifier_->forward(example.x_1), example.labels);
}

}  // namespace rill::nn
