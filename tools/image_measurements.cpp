#include "tools/image_measurements.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random_streams.hpp"
#include "flow/metrics/classification.hpp"
#include "flow/metrics/dequantization.hpp"
#include "flow/metrics/metrics.hpp"
#include "tools/cli/phase.hpp"
#include "tools/cli/ticker.hpp"
#include "tools/measurements.hpp"

namespace rill::tools {
namespace {

// Memorization is checked on a subset, because the comparison with all training images takes the longest.
constexpr Index kMemorizationPoints = 2000;

// `count` distinct images, or all of them.
Indices chosen(const datasets::Images& images, Index count, std::uint64_t seed) {
  std::vector<Index> order = Generator(seed, streams::kImageChoice).permutation(images.size());
  order.resize(static_cast<std::size_t>(std::min(count, images.size())));
  return Indices(std::move(order));
}

Indices all_of(const datasets::Images& images) {
  std::vector<Index> items(static_cast<std::size_t>(images.size()));
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = static_cast<Index>(i);
  return Indices(std::move(items));
}

// Pixels rounded to the 256 gray levels of a file.
Tensor as_stored(const Tensor& pixels) {
  constexpr double kHighest = static_cast<double>(flow::kLevels - 1);
  return flow::levels_of(clamp(pixels, -1, 1)) * (2 / kHighest) - 1;
}

Tensor first_rows(const Tensor& x, Index n) { return slice(x, 0, 0, std::min(n, x.dim(0))); }

// Images and the classifier's outputs for them.
struct Seen {
  Tensor pixels, features;
  Indices recognized;
};
Seen look_at(const nn::ImageClassifier& classifier, const Tensor& pixels) {
  flow::Classified classified = flow::classify(classifier, pixels);
  return {pixels, classified.features, classified.labels};
}

void put_nearest(Json& result, const std::string& name, const Tensor& x, const Tensor& training) {
  const Tensor distances = flow::nearest_distances(first_rows(x, kMemorizationPoints), training);
  put(result, name, flow::mean_of(distances));
  std::vector<Real> sorted = distances.to_vector();
  const auto percentile = sorted.begin() + std::ssize(sorted) / 100;
  std::nth_element(sorted.begin(), percentile, sorted.end());
  put(result, name + "_percentile1", static_cast<double>(*percentile));
}

// Source noise, or normal noise for models that do not start from images: the worst possible samples.
Tensor noise_like(const TrainedModel& trained, Index images, Generator& rng) {
  const std::optional<flow::Dynamics> dynamics = trained.model->dynamics();
  if (dynamics && !trained.model->dynamics_are_latent()) {
    return dynamics->sample_source(images, rng);
  }
  return Tensor::randn({images, trained.model->dimension()}, rng);
}

datasets::Images load(const datasets::DataDescription& data, datasets::Split split, const nn::ImageShape& shape) {
  datasets::Images images = datasets::load_images(data.source, split, data.classes);
  require_file(images.height() == shape.height && images.width() == shape.width, data.source, "holds images of ",
               images.height(), " x ", images.width(), " pixels, but the classifier knows those of ", shape.height,
               " x ", shape.width);
  return images;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

void measure_images(const TrainedModel& trained, const TrainedClassifier& classifier, const SampleRequest& request,
                    Index count, Json& result) {
  const nn::ImageClassifier& network = *classifier.classifier;
  const datasets::DataDescription& data = trained.data;
  const nn::ImageShape& shape = network.description().image;
  const datasets::Images training_images = load(data, datasets::Split::kTrain, shape),
                         test_images = load(data, datasets::Split::kTest, shape);
  const Indices test_items = chosen(test_images, count, request.seed), labels = test_images.labels(test_items);
  const Index images = test_items.size();

  const Samples drawn = draw_labeled(trained, labels, request);
  result["samples"] = images;
  result["function_evaluations"] = drawn.evaluations;
  result["sampling_seconds"] = drawn.seconds;
  require_finite_samples(drawn.x, result);
  const auto start = std::chrono::steady_clock::now();
  Phase phase("classifying images", 0);
  const Ticker ticker(phase);
  const Seen samples = look_at(network, as_stored(drawn.x));
  const Seen test = look_at(network, test_images.pixels(test_items));
  const Seen training = look_at(network, training_images.pixels(all_of(training_images)));
  Generator rng(request.seed, streams::kImageNoise);
  const Seen noise = look_at(network, as_stored(noise_like(trained, images, rng)));
  // Training images, as the best possible samples.
  const Tensor best = gather_rows(training.features, chosen(training_images, images, request.seed));

  phase.advance(0);
  put(result, "label_accuracy", flow::label_accuracy(samples.recognized, labels));
  put(result, "real_label_accuracy", flow::label_accuracy(test.recognized, labels));

  const flow::Moments of_test = flow::moments_of(test.features);
  const auto frechet = [&](const Tensor& features) {
    return flow::frechet_distance(flow::moments_of(features), of_test);
  };
  put(result, "frechet_distance", frechet(samples.features));
  put(result, "frechet_floor", frechet(best));
  put(result, "frechet_ceiling", frechet(noise.features));

  phase.advance(0);
  const flow::PrecisionRecall found = flow::precision_and_recall(test.features, samples.features);
  const flow::PrecisionRecall highest = flow::precision_and_recall(test.features, best);
  put(result, "precision", found.precision);
  put(result, "recall", found.recall);
  put(result, "precision_of_training", highest.precision);
  put(result, "recall_of_training", highest.recall);

  phase.advance(0);
  put_nearest(result, "nearest_training_pixels", samples.pixels, training.pixels);
  put_nearest(result, "nearest_training_pixels_of_test", test.pixels, training.pixels);
  phase.advance(0);
  put_nearest(result, "nearest_training_features", samples.features, training.features);
  put_nearest(result, "nearest_training_features_of_test", test.features, training.features);
  result["image_measurement_seconds"] = seconds_since(start);
}

flow::Estimate test_accuracy(const nn::ImageClassifier& classifier, const datasets::Images& images) {
  constexpr Index kPart = 1024;  // images between two progress reports
  Phase phase("testing", static_cast<double>(images.size()));
  std::vector<Index> recognized;
  for (Index begin = 0; begin < images.size(); begin += kPart) {
    std::vector<Index> part(static_cast<std::size_t>(std::min(kPart, images.size() - begin)));
    std::iota(part.begin(), part.end(), begin);
    phase.advance(static_cast<double>(part.size()));
    const Indices labels = flow::classify(classifier, images.pixels(Indices(std::move(part)))).labels;
    recognized.insert(recognized.end(), labels.begin(), labels.end());
  }
  return flow::label_accuracy(Indices(std::move(recognized)), images.labels(all_of(images)));
}

void measure_classifier(const TrainedClassifier& classifier, Json& result) {
  const nn::ImageClassifier& network = *classifier.classifier;
  const datasets::Images images = load(classifier.data, datasets::Split::kTest, network.description().image);
  const Indices items = all_of(images), labels = images.labels(items);
  const auto start = std::chrono::steady_clock::now();
  Phase phase("testing", 0);
  const Ticker ticker(phase);
  const Indices recognized = flow::classify(network, images.pixels(items)).labels;
  result["test_images"] = images.size();
  put(result, "test_accuracy", flow::label_accuracy(recognized, labels));
  for (Index label = 0; label < images.classes(); ++label) {
    double right = 0, all = 0;
    for (Index n = 0; n < labels.size(); ++n) {
      if (labels[n] != label) continue;
      ++all;
      right += recognized[n] == label ? 1 : 0;
    }
    result["test_accuracy_by_class"].push_back(right / all);
    if (all == 0) note(result, concat("test_accuracy_by_class ", label), "no test images of this class");
  }
  result["seconds"] = seconds_since(start);
}

}  // namespace rill::tools
