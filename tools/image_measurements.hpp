// What `evaluate` reports on images, in the eyes of a classifier.
#pragma once

#include <cstdint>

#include "autodiff/json.hpp"
#include "datasets/images.hpp"
#include "flow/metrics/estimate.hpp"
#include "nn/image_classifier.hpp"
#include "tools/run.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {

/// Samples, one for each of as many test images and of its label, against those images:
///   label_accuracy          the share whose label the classifier recognizes; real_label_accuracy of the test images
///   frechet_distance        of features; frechet_floor that of training images, frechet_ceiling that of noise
///   precision, recall       in the space of features (flow/metrics/neighbors.hpp), and their floors, of training
///   images nearest_training_...    from a sample to the nearest training image, in pixels (of [-1, 1]) and in
///   features: the
///                           mean and the first percentile, and the same of test images, ..._of_test
/// Samples are first rounded to the gray levels that a picture has. `count` images at most are used of each kind.
/// Throws FileError when the images cannot be read or have another size than the classifier's.
void measure_images(const TrainedModel& trained, const TrainedClassifier& classifier, const SampleRequest& request,
                    Index count, Json& result);

/// The share of the images that it recognizes. Throws std::invalid_argument for images of another size, and Stopped.
flow::Estimate test_accuracy(const nn::ImageClassifier& classifier, const datasets::Images& images);

/// What a classifier makes of the test images: the share that it recognizes, of all and of each class.
void measure_classifier(const TrainedClassifier& classifier, Json& result);

}  // namespace rill::tools
