#include "tools/sampling.hpp"

#include <chrono>

#include "autodiff/error.hpp"
#include "autodiff/random.hpp"
#include "tools/image_grid.hpp"
#include "tools/scatter.hpp"

namespace rill::tools {
namespace {

// Streams of the seed that neither training steps nor anything else uses (flow/trainer.cpp).
constexpr std::uint64_t kNoiseStream = std::uint64_t{1} << 59, kDataStream = kNoiseStream + 1;

// Pictures show this many points at most: more would only make them darker and films larger.
constexpr Index kPictureData = 10000;
constexpr std::size_t kFilmFrames = 100;

Indices repeated(const std::vector<Index>& labels, Index count) {
  std::vector<Index> all;
  for (const Index label : labels) all.insert(all.end(), static_cast<std::size_t>(count), label);
  return Indices(std::move(all));
}

Image grid_picture(const DataDescription& data, std::span<const Real> pixels, const SampleRequest& request) {
  std::vector<std::string> row_labels;
  for (const Index label : request.labels) row_labels.push_back(std::to_string(label));
  const auto height = static_cast<int>(data.height), width = static_cast<int>(data.width);
  ImageGridOptions options;
  options.columns = static_cast<int>(request.labels.empty() ? std::min<Index>(request.count, 10) : request.count);
  options.row_labels = row_labels;
  return image_grid(pixels, height, width, options);
}

// Which times of the trajectory a film shows: all, or about kFilmFrames of them, the last one included.
std::vector<std::size_t> film_positions(std::size_t times) {
  const std::size_t steps = times - 1, stride = (steps + kFilmFrames - 1) / kFilmFrames;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < steps; i += stride) positions.push_back(i);
  positions.push_back(steps);
  return positions;
}

void require_picture(const TrainedModel& trained) {
  require(has_picture(trained), "there are pictures of images and of points in the plane, but these points have ",
          trained.description.dimension, " coordinates");
}

}  // namespace

Samples draw_samples(const TrainedModel& trained, const SampleRequest& request) {
  const Indices labels = repeated(request.labels, request.count);
  const Index n = request.labels.empty() ? request.count : labels.size();
  Generator rng(request.seed, kNoiseStream);
  const auto start = std::chrono::steady_clock::now();
  const nn::VelocityModel& model = request.model ? *request.model : *trained.model;
  flow::Generated generated = flow::generate(model, trained.source(n, rng), labels, request.options);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  for (Tensor& x : generated.trajectory) x = to_data_units(trained.flow.data, x);
  return {.x = to_data_units(trained.flow.data, generated.x),
          .evaluations = generated.evaluations,
          .times = std::move(generated.times),
          .trajectory = std::move(generated.trajectory),
          .seconds = elapsed.count()};
}

Tensor draw_data(const Data& data, Index count, std::uint64_t seed, int set) {
  Generator rng(seed, kDataStream + static_cast<std::uint64_t>(set));
  return data.draw(count, rng);
}

bool has_picture(const TrainedModel& trained) {
  return trained.flow.data.kind == "images" || trained.description.dimension == 2;
}

Image sample_picture(const TrainedModel& trained, const Samples& samples, const SampleRequest& request) {
  require_picture(trained);
  if (trained.flow.data.kind == "images") return grid_picture(trained.flow.data, samples.x.values(), request);
  const Tensor data = draw_data(*open_data(trained.flow.data), std::min(samples.x.dim(0), kPictureData), request.seed);
  const Panel panels[] = {{.title = "data", .points = data.values(), .color = kInk},
                          {.title = "samples", .points = samples.x.values(), .color = kBlue}};
  return scatter(panels);
}

std::vector<Image> sample_film(const TrainedModel& trained, const Samples& samples, const SampleRequest& request) {
  require_picture(trained);
  require(!samples.trajectory.empty(), "sample_film: the samples have no trajectory");
  std::vector<double> times;
  std::vector<std::span<const Real>> states;
  for (const std::size_t i : film_positions(samples.times.size())) {
    times.push_back(samples.times[i]);
    states.push_back(samples.trajectory[i].values());
  }
  if (trained.flow.data.kind != "images")
    return scatter_film(states, times, kBlue, {.limits = {}, .width = 400, .scale = 1});
  std::vector<Image> frames;
  for (const std::span<const Real> pixels : states) frames.push_back(grid_picture(trained.flow.data, pixels, request));
  return frames;
}

}  // namespace rill::tools
