// The objective of a classifier.
#pragma once

#include <memory>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "nn/image_classifier.hpp"

namespace rill::nn {

/// Cross entropy of the labels: an Objective (nn/trainer.hpp).
class Classification {
 public:
  using Example = datasets::Batch;

  explicit Classification(std::shared_ptr<const ImageClassifier> classifier);

  Example make_example(const datasets::Batch& batch, Generator&) const { return batch; }
  Tensor loss(const Example& example) const;
  bool worth_making_ahead() const { return false; }

 private:
  std::shared_ptr<const ImageClassifier> classifier_;
};

}  // namespace rill::nn
