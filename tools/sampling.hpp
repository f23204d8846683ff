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

/// The ends between which the rows of a picture of images interpolate.
enum class Interpolate {
  kNothing,
  kNoises,  ///< two noises, with the label of the row
  kLabels,  ///< the label of the row and the next one, from the same noise
};

/// What to sample.
struct SampleRequest {
  Index count = 10000;        ///< points, or images in a row
  std::vector<Index> labels;  ///< of each row; empty for a model without classes
  Interpolate interpolate = Interpolate::kNothing;
  flow::GenerateOptions options;
  std::optional<flow::Dynamics> dynamics;   ///< with guidance, for example; by default the model's own
  std::optional<flow::ScoreLadder> scores;  ///< likewise, of a model that has these and no dynamics
  std::uint64_t seed = 0;
};

/// Samples in the model's units; to_data_units() gives those of the data (datasets/data.hpp).
struct Samples {
  Tensor x;                            ///< [N, D], in the order of the picture, row by row
  Index columns = 0;                   ///< of the picture
  std::vector<std::string> row_names;  ///< of the picture; may be empty
  double evaluations = 0;              ///< of the velocity, per point on average
  std::vector<double> times;           ///< of the trajectory
  std::vector<Tensor> trajectory;      ///< from t = 0 to t = 1, if options.keep_trajectory
  double seconds = 0;
};
/// A lower bound on the numbers that draw_samples() holds: start and end points and, if options.keep_trajectory and the
/// solver has equal steps, the trajectories.
double numbers_of_samples(const TrainedModel& trained, const SampleRequest& request);

/// `count` samples of each label; or, for interpolations, `count` steps including both ends. Shows its progress, and
/// throws Stopped if a signal asks to stop (tools/cli/phase.hpp).
Samples draw_samples(const TrainedModel& trained, const SampleRequest& request);
/// One sample for each label. The request's count, labels and interpolation are not used.
Samples draw_labeled(const TrainedModel& trained, const Indices& labels, const SampleRequest& request);

/// Data points drawn by Data::draw(), [count, D]. Different sets are independent.
Tensor draw_data(const datasets::Data& data, Index count, std::uint64_t seed, int set = 0);

/// The default number of samples: 10 images of each label, or 10,000 points.
Index default_count(const TrainedModel& trained);

/// Whether such data can be drawn: points in the plane, or images.
bool has_picture(const TrainedModel& trained);

/// Points in the plane: data, drawn with the seed, and samples side by side on the same axes; without data, only the
/// samples. Images: one row for each label, or nearly a square if there is only one label.
/// Throws std::invalid_argument unless has_picture().
Image sample_picture(const TrainedModel& trained, const Samples& samples, const datasets::Data* data,
                     std::uint64_t seed);

/// Data points and what the model makes of them, encoded and decoded: side by side in the plane; images in two rows of
/// `count`, test images first. Throws as above, and FileError for data that cannot be read.
Image reconstruction_picture(const TrainedModel& trained, Index count, std::uint64_t seed);

/// The samples moving from noise to data: one picture for each time, or for about a hundred of them; for images, about
/// 25.
std::vector<Image> sample_film(const TrainedModel& trained, const Samples& samples);

}  // namespace rill::tools
