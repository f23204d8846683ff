// Samples of a trained model, and pictures of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "flow/generate.hpp"
#include "tools/canvas.hpp"
#include "tools/run.hpp"

namespace rill::tools {

/// What to sample.
struct SampleRequest {
  Index count = 10000;        ///< points, or images of each label
  std::vector<Index> labels;  ///< empty for a model without classes
  flow::GenerateOptions options;
  std::shared_ptr<const nn::VelocityModel> model;  ///< guided, say; the trained one when it is null
  std::uint64_t seed = 0;
};

/// Samples in the data's own units; with labels, `count` rows of the first label, then of the next.
struct Samples {
  Tensor x;                        ///< [N, D]
  double evaluations = 0;          ///< of the velocity, for a point on average
  std::vector<double> times;       ///< of the trajectory
  std::vector<Tensor> trajectory;  ///< from t = 0 to t = 1, when options.keep_trajectory asks for it
  double seconds = 0;
};
Samples draw_samples(const TrainedModel& trained, const SampleRequest& request);

/// Fresh data in their own units, [count, D]. Sets of different numbers are independent.
Tensor draw_data(const Data& data, Index count, std::uint64_t seed, int set = 0);

/// True when there is a picture of such data: points in the plane, or images.
bool has_picture(const TrainedModel& trained);

/// Points in the plane: fresh data and samples side by side on equal axes. Images: a row for each label.
/// Throws std::invalid_argument unless has_picture(), FileError when the data cannot be read.
Image sample_picture(const TrainedModel& trained, const Samples& samples, const SampleRequest& request);

/// The samples on their way from noise to data: a picture for each time, or for each of a hundred times.
std::vector<Image> sample_film(const TrainedModel& trained, const Samples& samples, const SampleRequest& request);

}  // namespace rill::tools
