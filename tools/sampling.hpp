// Samples of a trained model, and pictures of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flow/model/generate.hpp"
#include "tools/plot/canvas.hpp"
#include "tools/run.hpp"

namespace rill::tools {

/// What the rows of a picture of images lead between.
enum class Interpolate {
  kNothing,
  kNoises,  ///< two noises, at the label of the row
  kLabels,  ///< the label of the row and the next one, from one noise
};

/// What to sample.
struct SampleRequest {
  Index count = 10000;        ///< points, or images in a row
  std::vector<Index> labels;  ///< of each row; empty for a model without classes
  Interpolate interpolate = Interpolate::kNothing;
  flow::GenerateOptions options;
  std::optional<flow::Dynamics> dynamics;  ///< guided, say; the model's own when there are none
  std::uint64_t seed = 0;
};

/// Samples in the model's units; to_data_units() gives those of the data (datasets/data.hpp).
struct Samples {
  Tensor x;                            ///< [N, D], row after row of the picture
  Index columns = 0;                   ///< of the picture
  std::vector<std::string> row_names;  ///< of the picture; empty where there are none
  double evaluations = 0;              ///< of the velocity, for a point on average
  std::vector<double> times;           ///< of the trajectory
  std::vector<Tensor> trajectory;      ///< from t = 0 to t = 1, when options.keep_trajectory asks for it
  double seconds = 0;
};
/// How many numbers draw_samples() holds at least: where samples start, where they end, and their ways where the solver
/// has equal steps and options.keep_trajectory asks for them.
double numbers_of_samples(const TrainedModel& trained, const SampleRequest& request);

/// `count` samples of each label; or, between two ends, `count` steps of which the first and last are the ends. Shows
/// how far it is, and throws Stopped when a signal asks to stop (tools/cli/phase.hpp).
Samples draw_samples(const TrainedModel& trained, const SampleRequest& request);
/// A sample of each label. The request's count, labels and interpolation are not used.
Samples draw_labeled(const TrainedModel& trained, const Indices& labels, const SampleRequest& request);

/// Data as Data::draw() gives them, [count, D]. Sets of different numbers are drawn independently.
Tensor draw_data(const datasets::Data& data, Index count, std::uint64_t seed, int set = 0);

/// How many samples to draw where nobody says: 10 images of each label, or 10,000 points.
Index default_count(const TrainedModel& trained);

/// True when there is a picture of such data: points in the plane, or images.
bool has_picture(const TrainedModel& trained);

/// Points in the plane: data, drawn with the seed, and samples side by side on equal axes; the samples alone where
/// there are no data at hand. Images: a row for each label, or as square as can be when there is one label only.
/// Throws std::invalid_argument unless has_picture().
Image sample_picture(const TrainedModel& trained, const Samples& samples, const datasets::Data* data,
                     std::uint64_t seed);

/// The samples on their way from noise to data: a picture for each time, or for each of a hundred times; of images for
/// each of 25.
std::vector<Image> sample_film(const TrainedModel& trained, const Samples& samples);

}  // namespace rill::tools
