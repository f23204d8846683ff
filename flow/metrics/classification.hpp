// Samples judged by an image classifier.
#pragma once

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/metrics/estimate.hpp"
#include "nn/image_classifier.hpp"

namespace rill::flow {

/// The outputs of a classifier.
struct Classified {
  Tensor features;  ///< [N, features]
  Indices labels;   ///< [N], the most likely ones
};
/// x: [N, D], N >= 1. Images are processed in groups that fit into a core's cache, on several threads. Records no
/// graph.
Classified classify(const nn::ImageClassifier& classifier, const Tensor& x);

/// The fraction of labels that were recognized. Throws std::invalid_argument for lists of different lengths, and for
/// none.
Estimate label_accuracy(const Indices& recognized, const Indices& labels);

}  // namespace rill::flow
