// Measures how good a trained flow is.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "flow/langevin.hpp"
#include "flow/metrics.hpp"
#include "flow/prediction.hpp"
#include "nn/json.hpp"
#include "tools/density_picture.hpp"
#include "tools/image_measurements.hpp"
#include "tools/measurements.hpp"
#include "tools/png.hpp"
#include "tools/program.hpp"
#include "tools/sample_options.hpp"
#include "tools/sampling.hpp"
#include "tools/text.hpp"

namespace rill::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kExample =
    "  evaluate runs/annulus\n"
    "  evaluate runs/annulus --margin 0.1 --loss-samples 1000000\n"
    "  evaluate runs/moons --solver dopri5 --rtol 1e-4 --density density.png\n"
    "  evaluate runs/two-modes --langevin\n"
    "  evaluate runs/fashion-mnist --classifier runs/fashion-mnist-classifier --guidance 2\n"
    "  evaluate runs/fashion-mnist-classifier\n"
    "Prints one JSON object on stdout; standard errors end in _se.";

struct EvaluateSettings {
  SampleOptions common;
  Index count = 10000, loss_samples = 0, distance_points = 2000, nll_points = -1, probes = 8;
  double margin = 0, nll_tolerance = 1e-5;
  std::vector<std::string> distances = distance_names();
  bool langevin = false;
  std::string trace, density, classifier;
};

flow::LikelihoodOptions likelihood_options(const EvaluateSettings& settings, const TrainedModel& trained) {
  flow::LikelihoodOptions options;
  flow::AdaptiveOptions solver;
  solver.tolerance = {.rtol = settings.nll_tolerance, .atol = settings.nll_tolerance};
  options.integrator = flow::adaptive_steps(solver);
  options.seed = settings.common.seed;
  // An exact trace takes a gradient for each coordinate.
  const bool many = trained.description.dimension > 32;
  options.trace = settings.trace.empty() ? (many ? flow::Trace::kRademacher : flow::Trace::kExact)
                                         : flow::find_trace(settings.trace);
  options.probes = settings.probes;
  if (trained.flow.source) {
    const std::shared_ptr<const Data> source = open_data(*trained.flow.source);
    options.source = [source](const Tensor& x) {
      const auto log_p = source->density()->log_density(x);
      require(log_p.has_value(), "--nll-points: the source ", source->description().text(),
              " has no known density; leave the likelihood out with --nll-points 0");
      return *log_p;
    };
  }
  return options;
}

// What a model or its data do not allow; measuring takes time, so this comes first.
void check_possible(const EvaluateSettings& settings, const TrainedModel& trained, const Data& data) {
  if (!settings.density.empty() && data.dimension() != 2) {
    throw UsageError(concat("--density: these data have ", data.dimension(), " dimensions, and the picture has two"));
  }
  if (!settings.classifier.empty() && trained.flow.data.kind != "images") {
    throw UsageError(concat("--classifier: knows images, but these data are ", trained.flow.data.text()));
  }
  if (!settings.langevin) return;
  const datasets::Density* density = data.density();
  if (density == nullptr || density->mode_weights().empty() || trained.flow.source ||
      flow::make_path(trained.flow.path).noise().kind != flow::PathNoise::kNone) {
    throw UsageError(
        "--langevin: needs data with modes, and the score of a path without noise from Gaussian noise; try the preset "
        "two-modes");
  }
}

// What Langevin dynamics makes of the learned score, from the same noise, where the data have modes.
void measure_langevin(const EvaluateSettings& settings, const TrainedModel& trained, const Data& data, Json& result) {
  constexpr double kTime = 0.95;  // late enough for the modes to be the data's, early enough for a gentle score
  const auto scheduler = flow::make_path(trained.flow.path);
  const auto score = [&](const Tensor& x) {
    const Tensor t = Tensor::full({x.dim(0)}, kTime);
    return flow::convert(trained.model->forward(x, t), flow::Prediction::kVelocity, flow::Prediction::kScore, x, t,
                         scheduler.scheduler());
  };
  Generator rng(settings.common.seed);
  const Tensor x = flow::langevin(score, trained.source(settings.count, rng), {.step_size = 0.01, .steps = 2000}, rng);
  measure_shares(*data.density(), x / scheduler.scheduler().at(kTime).alpha, settings.margin, result["langevin"]);
}

Tensor first_rows(const Tensor& x, Index n) { return slice(x, 0, 0, n); }

Samples first_samples(Samples samples, Index n) {
  samples.x = first_rows(samples.x, n);
  for (Tensor& x : samples.trajectory) x = first_rows(x, n);
  return samples;
}

void measure_samples(const EvaluateSettings& settings, const TrainedModel& trained, const Data& data, Json& result) {
  const std::uint64_t seed = settings.common.seed;
  const bool straight = settings.common.sde.empty();  // noise on the way has no velocity, and no energy
  SampleRequest request;
  request.count = std::max(settings.count, settings.distance_points);
  request.options = settings.common.generate_options(trained);
  request.model = settings.common.model(trained);
  request.options.keep_trajectory = straight && settings.distance_points > 0;
  request.seed = seed;
  const Samples samples = draw_samples(trained, request);
  result["samples"] = request.count;
  result["function_evaluations"] = samples.evaluations;
  result["sampling_seconds"] = samples.seconds;
  if (data.density() != nullptr) measure_shares(*data.density(), samples.x, settings.margin, result);
  if (settings.distance_points == 0) return;
  const Samples some = first_samples(samples, settings.distance_points);
  measure_distances(data, some.x, settings.distances, seed, result);
  if (!straight) return;
  measure_paths(data, some, seed, result);
}

// The classifier that is to judge the flow's images.
std::optional<TrainedClassifier> open_classifier(const EvaluateSettings& settings, const DataDescription& data) {
  if (settings.classifier.empty()) return {};
  TrainedClassifier classifier = load_trained_classifier(settings.classifier);
  const nn::ImageClassifierDescription& known = classifier.classifier->description();
  require_file(known.image.height == data.height && known.image.width == data.width && known.classes == data.classes,
               settings.classifier, "knows images of ", known.image.height, " x ", known.image.width, " pixels in ",
               known.classes, " classes, but the flow makes those of ", data.height, " x ", data.width, " in ",
               data.classes);
  return classifier;
}

void measure_images(const EvaluateSettings& settings, const TrainedModel& trained, const TrainedClassifier& classifier,
                    Json& result) {
  SampleRequest request;
  request.options = settings.common.generate_options(trained);
  request.model = settings.common.model(trained);
  request.seed = settings.common.seed;
  result["classifier"] = settings.classifier;
  result["guidance"] = settings.common.guidance;
  tools::measure_images(trained, classifier, request, settings.count, result);
}

Json measure(const EvaluateSettings& settings) {
  const auto start = std::chrono::steady_clock::now();
  if (holds_classifier(settings.common.run)) {
    Json result = {{"run", settings.common.run}};
    TrainedClassifier classifier = load_trained_classifier(settings.common.run);
    settings.common.locate(classifier.data);
    measure_classifier(classifier, result);
    return result;
  }
  TrainedModel trained = load_trained_model(settings.common.run);
  settings.common.locate(trained.flow.data);
  const bool is_there = trained.flow.data.kind != "table" || std::filesystem::exists(trained.flow.data.source);
  require_file(is_there, trained.flow.data.source, "there is no such file; where it is now, --data says");
  const std::unique_ptr<Data> data = open_data(trained.flow.data, Split::kTest);
  check_possible(settings, trained, *data);
  const std::optional<TrainedClassifier> classifier = open_classifier(settings, trained.flow.data);
  const bool images = trained.flow.data.kind == "images";
  const std::uint64_t seed = settings.common.seed;

  Json result = {{"run", settings.common.run},
                 {"data", trained.flow.data.text()},
                 {"solver", settings.common.solver_text()},
                 {"seed", seed}};
  measure_loss(trained, *data,
               settings.loss_samples > 0 ? settings.loss_samples
               : images                  ? 10000
                                         : 100000,
               seed, result);
  if (trained.description.classes == 0) measure_samples(settings, trained, *data, result);
  if (classifier) measure_images(settings, trained, *classifier, result);
  const Index nll_points = settings.nll_points >= 0 ? settings.nll_points : images ? 0 : 2000;
  const flow::LikelihoodOptions likelihood = likelihood_options(settings, trained);
  if (nll_points > 0) measure_likelihood(trained, *data, likelihood, nll_points, seed, result);
  if (settings.langevin) measure_langevin(settings, trained, *data, result);
  if (!settings.density.empty()) {
    write_png(settings.density, density_picture(*data, learned_log_density(trained, likelihood), seed));
  }
  result["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

int evaluate(int argc, const char* const* argv) {
  EvaluateSettings settings;
  Options options("evaluate",
                  "Measures a trained flow: its loss on fresh data, how far its samples are from them, how likely it "
                  "finds them, and the ways it takes. Of a classifier: the test images that it recognises.",
                  kExample);
  settings.common.declare(options);
  options.group("Measurements");
  options.add("count", settings.count, "COUNT",
              "samples to draw: for shares in the support and in modes, or beside test images");
  options.add("loss-samples", settings.loss_samples, "COUNT",
              "points for the loss; 0 for 100000, or 10000 test images");
  options.add("margin", settings.margin, "DISTANCE", "samples this far outside the support still count as inside");
  options.add("distance-points", settings.distance_points, "COUNT",
              "points for the distances and ways; 0 to leave them out");
  options.add("distances", settings.distances, "NAMES", "which distances to data");
  options.add("nll-points", settings.nll_points, "COUNT",
              "fresh points for the likelihood; 0 to leave it out; -1 for 2000, or none for images");
  options.add("nll-tolerance", settings.nll_tolerance, "SHARE", "of its solver (dopri5), relative and absolute");
  options.add("trace", settings.trace, "NAME",
              concat("how the divergence is found: ", joined(flow::trace_names()),
                     "; by default exact, or rademacher in more than 32 dimensions"));
  options.add("probes", settings.probes, "COUNT", "random probes for a divergence that is not exact");
  options.add("langevin", settings.langevin, "",
              "densities with modes: also count what Langevin dynamics on the learned score makes of them");
  options.add("classifier", settings.classifier, "RUN",
              "images: a classifier's run, for label accuracy, Frechet distance, precision, recall and memorisation");
  options.add("density", settings.density, "FILE",
              "a .png: the learned log density beside the data's, in two dimensions", Place::kCommandLine);
  if (!read_options(options, argc, argv)) return kDone;
  settings.common.check();
  settings.common.refuse_ignored(options);
  require_at_least("count", static_cast<double>(settings.count), 1);
  require_at_least("loss-samples", static_cast<double>(settings.loss_samples), 0);
  require_at_least("distance-points", static_cast<double>(settings.distance_points), 0);
  require_at_least("nll-points", static_cast<double>(settings.nll_points), -1);
  require_at_least("probes", static_cast<double>(settings.probes), 1);
  // Precision and recall look at the three nearest neighbours of a sample.
  if (!settings.classifier.empty()) require_at_least("count", static_cast<double>(settings.count), 4);
  if (!settings.trace.empty()) flow::find_trace(settings.trace);
  check_distances(settings.distances);
  require_at_least("margin", settings.margin, 0);
  use_threads(settings.common.threads);
  std::cout << nn::dump_json(measure(settings)) << '\n';
  return kDone;
}

}  // namespace
}  // namespace rill::tools

int main(int argc, char** argv) {
  return rill::tools::run_program(argv[0], [&] { return rill::tools::evaluate(argc, argv); });
}
