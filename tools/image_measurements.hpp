// What `evaluate` reports on images, judged by a classifier.
#pragma once

#include <cstdint>

#include "autodiff/json.hpp"
#include "datasets/images.hpp"
#include "flow/metrics/estimate.hpp"
#include "nn/image_classifier.hpp"
#include "tools/run.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {

/// Samples, one for each test image and its label, against those images:
///   label_accuracy         the share whose label the classifier recognizes; real_label_accuracy for the test images
///   frechet_distance       of features; frechet_floor for training images, frechet_ceiling for noise
///   precision, recall      in feature space (flow/metrics/neighbors.hpp); ..._of_training for training images
///   nearest_training_...   from a sample to the nearest training image, in pixels (of [-1, 1]) and in features: the
///                          mean and the first percentile; ..._of_test for test images
/// Samples are first rounded to the gray levels of a picture. Uses at most `count` images of each kind.
/// Throws FileError if the images cannot be read or do not have the classifier's size.
void measure_images(const TrainedModel& trained, const TrainedClassifier& classifier, const SampleRequest& request,
                    Index count, Json& result);

/// The classifier's accuracy on the images. Throws std::invalid_argument for images of another size, and Stopped.
flow::Estimate test_accuracy(const nn::ImageClassifier& classifier, const datasets::Images& images);

/// The accuracy of a classifier on the test images, overall and for each class.
void measure_classifier(const TrainedClassifier& classifier, Json& result);

}  // namespace rill::tools
