#include "tools/sampling.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>
#include <variant>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "autodiff/random_streams.hpp"
#include "autodiff/text.hpp"
#include "flow/model/interpolation.hpp"
#include "tools/cli/phase.hpp"
#include "tools/plot/image_grid.hpp"
#include "tools/plot/scatter.hpp"
#include "tools/watched.hpp"

namespace rill::tools {
namespace {

// Pictures show at most this many points: more would only make them darker and animations larger.
constexpr Index kPictureData = 10000;
// Animations of images start as noise, which does not compress: fewer and smaller frames.
constexpr std::size_t kFilmFrames = 100, kImageFilmFrames = 25;
constexpr int kPictureZoom = 3, kFilmZoom = 2;

// The starting points of samples, and the flow that moves them.
struct Start {
  Tensor x_0;
  Indices labels;
  flow::Dynamics dynamics;
};

// Repeats each row's number for all samples of the row.
Indices repeated(const std::vector<Index>& rows, Index count) {
  std::vector<Index> all;
  for (const Index row : rows) all.insert(all.end(), static_cast<std::size_t>(count), row);
  return Indices(std::move(all));
}

// 0, 1, 2, ... up to `count` of them.
std::vector<Index> numbers(Index count) {
  std::vector<Index> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

// For each row, `count` points on the arc between a pair of noises, of [2 rows, D].
Tensor arcs(const Tensor& ends, Index rows, Index count) {
  const Indices first = repeated(numbers(rows), count);
  std::vector<Index> second(first.begin(), first.end());
  for (Index& end : second) end += rows;
  Tensor weights = Tensor::empty({rows * count});
  for (Index i = 0; i < weights.size(); ++i) {
    weights.data()[i] = static_cast<Real>(i % count) / static_cast<Real>(count - 1);
  }
  return flow::spherical_interpolation(gather_rows(ends, first), gather_rows(ends, Indices(std::move(second))),
                                       weights);
}

// For each label and the next one, mixtures with `count` weights of the second.
std::vector<flow::ClassMixture> mixtures(const std::vector<Index>& labels, Index count) {
  std::vector<flow::ClassMixture> result;
  for (std::size_t row = 0; row + 1 < labels.size(); ++row) {
    for (Index i = 0; i < count; ++i) {
      result.push_back({labels[row], labels[row + 1], static_cast<double>(i) / static_cast<double>(count - 1)});
    }
  }
  return result;
}

// The number of labels, and of samples of each.
struct Counts {
  Index rows, all;
};
Counts counts_of(const SampleRequest& request) {
  const Index rows = std::max<Index>(1, std::ssize(request.labels));
  const Index all = checked_product("--count", {rows, request.count});
  require(all <= kMaxElements, "--count: ", all, " samples are more than memory can hold");
  return {rows, all};
}

Start start_of(const SampleRequest& request, flow::Dynamics dynamics) {
  const auto [rows, all] = counts_of(request);
  const Index count = request.count;
  Generator rng(request.seed, streams::kSampleNoise);
  switch (request.interpolate) {
    case Interpolate::kNoises: {
      const Tensor x_0 = arcs(dynamics.sample_source(2 * rows, rng), rows, count);
      return {x_0, repeated(request.labels, count), std::move(dynamics)};
    }
    case Interpolate::kLabels: {
      dynamics.velocity =
          std::make_shared<flow::ClassMixtures>(std::move(dynamics.velocity), mixtures(request.labels, count));
      const Index samples = dynamics.velocity->classes();
      const Tensor noise = broadcast_to(dynamics.sample_source(1, rng), {samples, dynamics.velocity->dimension()});
      return {noise, numbers(samples), std::move(dynamics)};
    }
    case Interpolate::kNothing:
      break;
  }
  const Tensor x_0 = dynamics.sample_source(all, rng);
  return {x_0, repeated(request.labels, count), std::move(dynamics)};
}

Samples samples_of(flow::Generated generated) {
  Samples samples;
  samples.x = generated.x;
  samples.evaluations = generated.evaluations;
  samples.times = std::move(generated.times);
  samples.trajectory = std::move(generated.trajectory);
  return samples;
}

Samples move(const flow::GenerativeModel& model, const Start& start, const SampleRequest& request) {
  const flow::GenerateOptions& options = request.options;
  Phase phase("sampling", evaluations_of(options) * static_cast<double>(start.x_0.dim(0)));
  Samples samples = samples_of(flow::generate(watched(start.dynamics, phase), start.x_0, start.labels, options));
  if (!model.dynamics_are_latent()) return samples;
  samples.x = model.from_dynamics(samples.x, start.labels, request.seed);
  for (Tensor& x : samples.trajectory) x = model.from_dynamics(x, start.labels, request.seed);
  return samples;
}

// For models without dynamics: by their scores, or by the family's own method.
Samples draw_directly(const flow::GenerativeModel& model, Index count, const Indices& labels,
                      const SampleRequest& request) {
  Generator rng(request.seed, streams::kSampleNoise);
  if (const auto scores = request.scores ? request.scores : model.scores()) {
    flow::LangevinSteps steps{.seed = request.seed};
    if (const auto* chosen = std::get_if<flow::LangevinSteps>(&request.options.solver)) steps = *chosen;
    Phase phase("sampling", static_cast<double>(evaluations_of(steps, std::ssize(scores->levels)) * count));
    const Tensor x = Tensor::randn({count, model.dimension()}, rng);
    return samples_of(flow::generate(watched(*scores, phase), x, labels, steps, request.options.keep_trajectory));
  }
  require(!request.options.keep_trajectory, "--gif and --trajectories: models of the family ", model.family(),
          " draw samples in one step, without a way from noise to data");
  Samples samples;
  if (request.interpolate == Interpolate::kNoises) {
    const auto [rows, all] = counts_of(request);
    samples.x =
        model.from_noise(arcs(Tensor::randn({2 * rows, model.noise_dimension()}, rng), rows, request.count), labels);
  } else {
    samples.x = model.sample(count, labels, rng);
  }
  return samples;
}

// Times what `draw` draws.
template <class Draw>
Samples timed(const Draw& draw) {
  const auto begin = std::chrono::steady_clock::now();
  Samples samples = draw();
  samples.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  samples.columns = samples.x.dim(0);
  return samples;
}

std::optional<flow::Dynamics> dynamics_of(const TrainedModel& trained, const SampleRequest& request) {
  return request.dynamics ? request.dynamics : trained.model->dynamics();
}

std::vector<std::string> row_names(const SampleRequest& request) {
  std::vector<std::string> names;
  if (request.interpolate == Interpolate::kLabels) {
    for (std::size_t row = 0; row + 1 < request.labels.size(); ++row) {
      names.push_back(concat(request.labels[row], " to ", request.labels[row + 1]));
    }
  } else if (request.labels.size() > 1) {
    for (const Index label : request.labels) names.push_back(std::to_string(label));
  }
  return names;
}

Image grid_picture(const datasets::DataDescription& data, std::span<const Real> pixels, const Samples& samples,
                   int zoom) {
  return image_grid(pixels, static_cast<int>(data.height), static_cast<int>(data.width),
                    {.columns = static_cast<int>(samples.columns), .zoom = zoom, .row_labels = samples.row_names});
}

// The times of the trajectory that an animation shows: all, or about `frames` of them, including the last.
std::vector<std::size_t> film_positions(std::size_t times, std::size_t frames) {
  const std::size_t steps = times - 1, stride = (steps + frames - 1) / frames;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < steps; i += stride) positions.push_back(i);
  positions.push_back(steps);
  return positions;
}

void require_picture(const TrainedModel& trained) {
  require(has_picture(trained), "there are pictures only of images and of points in the plane, but these points have ",
          counted(trained.model->dimension(), "coordinate"));
}

}  // namespace

double numbers_of_samples(const TrainedModel& trained, const SampleRequest& request) {
  const double rows =
      static_cast<double>(request.count) * static_cast<double>(std::max<std::size_t>(1, request.labels.size()));
  double states = 2;
  if (request.options.keep_trajectory) {
    if (const auto* fixed = std::get_if<flow::FixedSteps>(&request.options.solver)) {
      states += static_cast<double>(fixed->steps);
    } else if (const auto* noisy = std::get_if<flow::StochasticSteps>(&request.options.solver)) {
      states += static_cast<double>(noisy->steps);
    } else if (const auto* ancestral = std::get_if<flow::AncestralSteps>(&request.options.solver)) {
      states += static_cast<double>(ancestral->steps);
    }
  }
  return states * rows * static_cast<double>(trained.model->dimension());
}

Samples draw_samples(const TrainedModel& trained, const SampleRequest& request) {
  Samples samples = timed([&] {
    if (std::optional<flow::Dynamics> dynamics = dynamics_of(trained, request)) {
      return move(*trained.model, start_of(request, *std::move(dynamics)), request);
    }
    return draw_directly(*trained.model, counts_of(request).all, repeated(request.labels, request.count), request);
  });
  samples.row_names = row_names(request);
  const bool one_row = request.labels.size() <= 1 && request.interpolate == Interpolate::kNothing;
  samples.columns = one_row ? static_cast<Index>(std::ceil(std::sqrt(request.count))) : request.count;
  return samples;
}

Samples draw_labeled(const TrainedModel& trained, const Indices& labels, const SampleRequest& request) {
  return timed([&] {
    if (std::optional<flow::Dynamics> dynamics = dynamics_of(trained, request)) {
      Generator rng(request.seed, streams::kSampleNoise);
      const Tensor x_0 = dynamics->sample_source(labels.size(), rng);
      return move(*trained.model, {x_0, labels, *std::move(dynamics)}, request);
    }
    return draw_directly(*trained.model, labels.size(), labels, request);
  });
}

Tensor draw_data(const datasets::Data& data, Index count, std::uint64_t seed, int set) {
  Generator rng(seed, streams::kComparisonData + static_cast<std::uint64_t>(set));
  return data.draw(count, rng).x_1;
}

Index default_count(const TrainedModel& trained) { return trained.data.holds_images() ? 10 : 10000; }

bool has_picture(const TrainedModel& trained) { return trained.data.holds_images() || trained.model->dimension() == 2; }

Image sample_picture(const TrainedModel& trained, const Samples& samples, const datasets::Data* data,
                     std::uint64_t seed) {
  require_picture(trained);
  if (trained.data.holds_images()) {
    return grid_picture(trained.data, samples.x.values(), samples, kPictureZoom);
  }
  const auto in_data_units = [&](const Tensor& x) { return datasets::to_data_units(trained.data, x).values; };
  const std::vector<double> drawn = in_data_units(samples.x);
  const Panel sampled{.title = "samples", .points = drawn, .color = kBlue};
  const ScatterOptions options{.limits = {}, .equal_axes = datasets::has_equal_axes(trained.data)};
  if (data == nullptr) return scatter({&sampled, 1}, options);
  const std::vector<double> real = in_data_units(draw_data(*data, std::min(samples.x.dim(0), kPictureData), seed));
  const Panel panels[] = {{.title = "data", .points = real, .color = kInk}, sampled};
  return scatter(panels, options);
}

Image reconstruction_picture(const TrainedModel& trained, Index count, std::uint64_t seed) {
  require_picture(trained);
  const auto data = datasets::open_data(trained.data, datasets::Split::kTest);
  Generator rng(seed, streams::kComparisonData);
  const datasets::Batch drawn = data->draw(count, rng);
  Samples samples;
  samples.x = trained.model->reconstruct(drawn.x_1, drawn.labels);
  if (!trained.data.holds_images()) {
    const std::vector<double> real = datasets::to_data_units(trained.data, drawn.x_1).values;
    const std::vector<double> again = datasets::to_data_units(trained.data, samples.x).values;
    const Panel panels[] = {{.title = "data", .points = real, .color = kInk},
                            {.title = "decoded", .points = again, .color = kBlue}};
    return scatter(panels, {.limits = {}, .equal_axes = datasets::has_equal_axes(trained.data)});
  }
  samples.x = concatenate({drawn.x_1, samples.x}, 0);
  samples.columns = drawn.x_1.dim(0);
  samples.row_names = {"data", "decoded"};
  return grid_picture(trained.data, samples.x.values(), samples, kPictureZoom);
}

std::vector<Image> sample_film(const TrainedModel& trained, const Samples& samples) {
  require_picture(trained);
  require(!samples.trajectory.empty(), "sample_film: the samples have no trajectory");
  if (trained.data.holds_images()) {
    std::vector<Image> frames;
    for (const std::size_t i : film_positions(samples.times.size(), kImageFilmFrames)) {
      frames.push_back(grid_picture(trained.data, samples.trajectory[i].values(), samples, kFilmZoom));
    }
    return frames;
  }
  std::vector<double> times;
  std::vector<std::vector<double>> states;
  for (const std::size_t i : film_positions(samples.times.size(), kFilmFrames)) {
    times.push_back(samples.times[i]);
    states.push_back(datasets::to_data_units(trained.data, samples.trajectory[i]).values);
  }
  const std::vector<std::span<const double>> points(states.begin(), states.end());
  return scatter_film(points, times, kBlue,
                      {.limits = {}, .width = 400, .scale = 1, .equal_axes = datasets::has_equal_axes(trained.data)});
}

}  // namespace rill::tools
