// What a classifier of images says of samples.
#pragma once

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/metrics/estimate.hpp"
#include "nn/image_classifier.hpp"

namespace rill::flow {

/// What a classifier makes of images.
struct Classified {
  Tensor features;  ///< [N, features]
  Indices labels;   ///< [N], the most likely ones
};
/// x: [N, D], N >= 1. Images are taken in groups that stay in a core's cache, spread over the threads. Records no
/// graph.
Classified classify(const nn::ImageClassifier& classifier, const Tensor& x);

/// The share of labels that were recognised. Throws std::invalid_argument for lists of different lengths, and for none.
Estimate label_accuracy(const Indices& recognised, const Indices& labels);

}  // namespace rill::flow
