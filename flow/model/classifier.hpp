// Classifiers of images: trained like flows, and asked what samples show.
#pragma once

#include <cstdint>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "flow/metrics/estimate.hpp"
#include "flow/path/example.hpp"
#include "nn/image_classifier.hpp"
#include "nn/training_loop.hpp"

namespace rill::flow {

/// Trains by cross entropy. Everything random in step k is drawn from stream k of the seed.
class ClassifierTrainer final : public nn::TrainingLoop {
 public:
  /// The classifier must outlive the trainer. `source` gives images with labels.
  /// Throws std::invalid_argument for options that make no sense.
  ClassifierTrainer(nn::ImageClassifier& classifier, datasets::BatchSource source, const nn::TrainingOptions& options,
                    std::uint64_t seed);

 private:
  Tensor loss(Index step) override;

  nn::ImageClassifier& classifier_;
  datasets::BatchSource source_;
  std::uint64_t seed_;
};

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
