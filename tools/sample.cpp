// Draws samples from a trained model.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <span>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/text.hpp"
#include "datasets/csv.hpp"
#include "datasets/npy.hpp"
#include "tools/cli/outputs.hpp"
#include "tools/cli/program.hpp"
#include "tools/cli/text.hpp"
#include "tools/memory_limit.hpp"
#include "tools/plot/gif.hpp"
#include "tools/plot/path_plot.hpp"
#include "tools/plot/png.hpp"
#include "tools/sample_options.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {
namespace {

constexpr const char* kExample =
    "  sample runs/annulus --count 1000 > points.csv\n"
    "  sample runs/annulus --image samples.png --gif path.gif\n"
    "  sample runs/moons --solver midpoint --steps 20 --out points.npy\n"
    "  sample runs/fashion-mnist --label 3 --count 64 --guidance 2 --image grid.png\n"
    "  sample runs/fashion-mnist --label 0..9 --interpolate labels --image between.png\n"
    "  sample runs/moons --count 300 --trajectories ways.npy      # and ways.png\n"
    "  sample runs/moons --solver dopri5 --rtol 1e-4 --per-sample\n"
    "  sample runs/moons --sde heun --steps 200\n"
    "Without --out, --image, --gif and --trajectories, points go to stdout as CSV; a terminal shows the first.";

struct SampleSettings {
  SampleOptions common;
  Index count = 0;
  bool reconstruct = false;
  std::string label, interpolate, out, image, gif, trajectories;

  bool to_stdout() const { return out == "-" || (out.empty() && image.empty() && gif.empty() && trajectories.empty()); }
  /// Whether text goes to a terminal without having been requested.
  bool pours() const { return to_stdout() && out.empty() && ::isatty(STDOUT_FILENO) != 0; }
};

// "3" or "0..9".
void parse_range(const std::string& text, Index classes, std::vector<Index>& labels) {
  Index first = 0, last = 0;
  const char* const end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, first);
  last = first;
  if (error == std::errc{} && std::string_view(stop, end).starts_with("..")) {
    const auto second = std::from_chars(stop + 2, end, last);
    stop = second.ptr;
    error = second.ec;
  }
  if (error != std::errc{} || stop != end || first > last) {
    throw UsageError(concat("--label: expected classes such as 3, 0..9 or 3,7, found ", in_quotes(text)));
  }
  if (first < 0 || last >= classes) {
    throw UsageError(concat("--label: ", text, ": the model's classes are 0 to ", classes - 1));
  }
  for (Index label = first; label <= last; ++label) labels.push_back(label);
}

// All classes, or those of a list such as "3,7" or "0..4,9".
std::vector<Index> parse_labels(const std::string& text, Index classes) {
  std::vector<Index> labels;
  if (text.empty()) {
    for (Index label = 0; label < classes; ++label) labels.push_back(label);
    return labels;
  }
  if (classes == 0) throw UsageError("--label: this model was trained without classes");
  for (std::size_t begin = 0, end = 0; end != text.npos; begin = end + 1) {
    end = text.find(',', begin);
    parse_range(text.substr(begin, end == text.npos ? end : end - begin), classes, labels);
  }
  return labels;
}

Interpolate parse_interpolate(const std::string& text) {
  if (text.empty()) return Interpolate::kNothing;
  if (text == "noises") return Interpolate::kNoises;
  if (text == "labels") return Interpolate::kLabels;
  throw UsageError(concat("--interpolate: expected noises or labels, found ", in_quotes(text)));
}

void check_interpolation(const SampleRequest& request, const SampleOptions& settings, const TrainedModel& trained) {
  if (request.interpolate == Interpolate::kNothing) return;
  if (!trained.data.holds_images()) throw UsageError("--interpolate: this model was not trained on images");
  const bool labels = request.interpolate == Interpolate::kLabels;
  const bool flows = trained.model->dynamics().has_value();
  if (trained.model->scores() || !settings.is_deterministic()) {
    throw UsageError(concat("--interpolate: between its ends everything must change smoothly, but ",
                            settings.solver_text(*trained.model), " uses new noise in every step"));
  }
  if (labels && (!flows || trained.model->dynamics_are_latent())) {
    throw UsageError(concat("--interpolate labels: mixes the velocities of two classes, and models of the family ",
                            trained.model->family(), " have none in the data's space; try noises"));
  }
  if (request.count < 2) throw UsageError("--interpolate: needs a --count of 2 or more images between its ends");
  if (labels && request.labels.size() < 2) {
    throw UsageError("--interpolate labels: needs two labels or more, such as --label 3,7");
  }
}

void check_reconstruction(const SampleSettings& settings, const TrainedModel& trained) {
  if (!settings.reconstruct) return;
  if (!trained.model->reconstructs()) {
    throw UsageError(
        concat("--reconstruct: is for autoencoders, but this model is of the family ", trained.model->family()));
  }
  if (settings.image.empty()) throw UsageError("--reconstruct: needs --image for the picture");
}

// Damaged weights, or those of a failed training, give no valid samples.
void check_finite(const Tensor& x, const std::string& model) {
  const Index rows = x.dim(0), dimension = x.dim(1);
  Index broken = 0;
  for (Index i = 0; i < rows; ++i) {
    const Real* row = x.data() + i * dimension;
    broken += !std::all_of(row, row + dimension, [](Real value) { return std::isfinite(value); });
  }
  require_file(broken == 0, model, grouped(broken), " of ", grouped(rows),
               " samples have a number that is NaN or infinite, so nothing is written; try other weights, or smaller "
               "steps: by --steps, --solver, --step-size or --correction-ratio, whichever this sampler has");
}

// A terminal shows only the first rows of the text, header included, and a hint on how to get the rest.
std::string beginning(const std::string& text, Index samples) {
  constexpr Index kRows = 20;
  if (samples <= kRows) return text;
  std::size_t end = 0;
  for (Index line = 0; line <= kRows; ++line) end = text.find('\n', end) + 1;
  std::cerr << "the first " << kRows << " of them; write all to a file with --out points.csv or > points.csv"
            << std::endl;
  return text.substr(0, end);
}

std::vector<std::string> column_names(Index dimension) {
  if (dimension == 2) return {"x", "y"};
  std::vector<std::string> names;
  for (Index i = 1; i <= dimension; ++i) names.push_back(concat("x", i));
  return names;
}

// Points as written to files: a table's in double, others in Real.
std::string csv_of(const datasets::DataDescription& data, const Tensor& x) {
  if (!data.standardization) return datasets::to_csv(x, column_names(x.dim(1)));
  datasets::Table table = datasets::to_data_units(data, x);
  table.names = column_names(table.columns);
  return datasets::to_csv(table);
}

void write_array(const std::string& path, const datasets::DataDescription& data, const Shape& shape,
                 std::span<const Tensor> points) {
  if (!data.standardization) return datasets::write_npy(path, reshape(concatenate(points, 0), shape));
  std::vector<double> values;
  for (const Tensor& x : points) {
    const datasets::Table table = datasets::to_data_units(data, x);
    values.insert(values.end(), table.values.begin(), table.values.end());
  }
  datasets::write_npy(path, shape, values);
}

void write_points(const std::string& path, const datasets::DataDescription& data, const Tensor& x) {
  if (file_ending(path) == ".npy") {
    write_array(path, data, x.shape(), {&x, 1});
  } else {
    write_file_atomically(path, csv_of(data, x));
  }
}

// The picture of the trajectories of points in the plane.
std::string picture_beside(const std::string& trajectories) {
  return std::filesystem::path(trajectories).replace_extension(".png").string();
}

void write_trajectories(const std::string& path, const datasets::DataDescription& data, const Samples& samples) {
  const std::vector<Tensor>& states = samples.trajectory;
  const Index count = samples.x.dim(0), dimension = samples.x.dim(1);
  write_array(path, data, {std::ssize(states), count, dimension}, states);
  if (dimension != 2) return;
  std::vector<std::vector<double>> points;
  for (const Tensor& x : states) points.push_back(datasets::to_data_units(data, x).values);
  const std::vector<std::span<const double>> spans(points.begin(), points.end());
  write_png(picture_beside(path), path_plot(spans, datasets::has_equal_axes(data)));
}

// The data shown beside samples in the plane. Sampling needs only the model: if its data cannot be read, the picture
// omits them.
std::unique_ptr<datasets::Data> data_beside(const datasets::DataDescription& description) {
  if (description.holds_images()) return nullptr;  // a grid of samples shows no data
  try {
    // A pipe that training has already read would block forever.
    require_file(!description.is_table() || file_size(description.source).has_value(), description.source,
                 "is not a file");
    return datasets::open_data(description);
  } catch (const FileError& error) {
    std::cerr << "--image: " << error.what() << "; the picture will show the samples without the data" << std::endl;
    return nullptr;
  }
}

// Files that no output may replace. A run's samples.png may be, as it is a picture like those drawn here.
std::vector<std::string> inputs(const std::string& run, const datasets::DataDescription& data) {
  const RunFiles files(run);
  return {model_file(run), files.state, files.metrics, files.config, files.pairs, data.source};
}

int sample(int argc, const char* const* argv) {
  SampleSettings settings;
  Options options("sample", "Draws samples from a trained model.", kExample);
  settings.common.declare(options);
  options.add("count", settings.count, "COUNT", "points, or images of each label; 0 for 10000 points or 10 images");
  options.add("label", settings.label, "LABELS", "classes such as 3, or 0..9, or 3,7; all by default");
  options.add("interpolate", settings.interpolate, "ENDS",
              "images: each row interpolates between two noises, or between a label and the next: noises or "
              "labels");
  options.add("reconstruct", settings.reconstruct, "",
              "autoencoders, with --image: data above their reconstructions, instead of samples");
  options.add("out", settings.out, "FILE", "points as .npy or .csv, or - for all of them as CSV on stdout",
              Place::kCommandLine);
  options.add("image", settings.image, "FILE",
              "a .png: data and samples side by side; for images, one row per label, or a square for one label",
              Place::kCommandLine);
  options.add("gif", settings.gif, "FILE", "a .gif: the samples moving from noise to data", Place::kCommandLine);
  options.add("trajectories", settings.trajectories, "FILE",
              "a .npy: the samples at every time, [times, count, dimension]; for points in the plane, also a picture",
              Place::kCommandLine);
  if (!settings.common.read(options, argc, argv)) return kDone;
  if (settings.reconstruct) {
    options.refuse_unused({"solver", "steps", "rtol", "atol", "sde", "sampler", "guidance", "scheduler", "label",
                           "interpolate", "out", "gif", "trajectories"},
                          "not together with --reconstruct, which draws a picture of data and samples nothing");
  }

  SampleRequest request;
  settings.common.check();
  require_at_least("count", static_cast<double>(settings.count), 0);
  use_threads(settings.common.threads);
  TrainedModel trained = load_trained_model(settings.common.run);
  settings.common.locate(trained.data);
  check_reconstruction(settings, trained);
  const bool images = trained.data.holds_images();
  if (images && settings.pours()) {
    throw UsageError(concat("images of ", trained.model->dimension(),
                            " numbers each are too long for a terminal; draw them with --image grid.png, or write the "
                            "numbers with --out images.npy"));
  }
  const bool drawn_ways = !settings.trajectories.empty() && trained.model->dimension() == 2;
  check_outputs({{"out", settings.out == "-" ? "" : settings.out, {".npy", ".csv"}},
                 {"image", settings.image, {".png"}},
                 {"gif", settings.gif, {".gif"}},
                 {"trajectories", settings.trajectories, {".npy"}},
                 {"trajectories", drawn_ways ? picture_beside(settings.trajectories) : "", {}}},
                inputs(settings.common.run, trained.data));
  settings.common.apply(*trained.model, request);
  request.options.keep_trajectory = !settings.gif.empty() || !settings.trajectories.empty();
  request.labels = parse_labels(settings.label, trained.model->classes());
  request.interpolate = parse_interpolate(settings.interpolate);
  request.count = settings.count > 0 ? settings.count : default_count(trained);
  if (!has_picture(trained) && (!settings.image.empty() || !settings.gif.empty())) {
    throw UsageError(concat("--image and --gif: these points have ", counted(trained.model->dimension(), "coordinate"),
                            "; only images and points in the plane can be drawn; write them with --out"));
  }
  check_interpolation(request, settings.common, trained);
  require_fits("count", request.count, numbers_of_samples(trained, request));
  const std::unique_ptr<datasets::Data> data = settings.image.empty() ? nullptr : data_beside(trained.data);

  if (settings.reconstruct) {
    write_png(settings.image, reconstruction_picture(trained, request.count, request.seed));
    std::cerr << grouped(request.count) << " reconstructions" << std::endl;
    return kDone;
  }
  const Samples samples = draw_samples(trained, request);
  std::cerr << counted(samples.x.dim(0), "sample") << ", " << settings.common.solver_text(*trained.model)
            << (samples.evaluations > 0
                    ? concat(", ", significant(samples.evaluations, 4), " function evaluations each")
                    : "")
            << ", " << duration(samples.seconds) << " (" << machine_text() << ")" << std::endl;
  check_finite(samples.x, model_file(settings.common.run));
  if (!settings.out.empty() && settings.out != "-") write_points(settings.out, trained.data, samples.x);
  if (!settings.image.empty()) write_png(settings.image, sample_picture(trained, samples, data.get(), request.seed));
  if (!settings.gif.empty()) {
    write_gif(settings.gif, sample_film(trained, samples), {.frame_seconds = images ? 0.1 : 0.05, .colors = 64});
  }
  if (!settings.trajectories.empty()) write_trajectories(settings.trajectories, trained.data, samples);
  // Last, because its reader may exit.
  if (settings.to_stdout()) {
    const std::string text = csv_of(trained.data, samples.x);
    std::cout << (settings.pours() ? beginning(text, samples.x.dim(0)) : text);
  }
  return kDone;
}

}  // namespace
}  // namespace rill::tools

int main(int argc, char** argv) {
  return rill::tools::run_program(argv[0], [&] { return rill::tools::sample(argc, argv); });
}
