// Evaluates a trained flow or classifier.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/json.hpp"
#include "autodiff/text.hpp"
#include "flow/metrics/metrics.hpp"
#include "flow/solver/langevin.hpp"
#include "flow/transport/assignment.hpp"
#include "tools/cli/outputs.hpp"
#include "tools/cli/phase.hpp"
#include "tools/cli/program.hpp"
#include "tools/cli/signals.hpp"
#include "tools/cli/text.hpp"
#include "tools/density_picture.hpp"
#include "tools/image_measurements.hpp"
#include "tools/measurements.hpp"
#include "tools/memory_limit.hpp"
#include "tools/plot/png.hpp"
#include "tools/report.hpp"
#include "tools/sample_options.hpp"
#include "tools/sampling.hpp"
#include "tools/watched.hpp"

namespace rill::tools {
namespace {

constexpr const char* kExample =
    "  evaluate runs/annulus\n"
    "  evaluate runs/annulus --margin 0.1 --loss-samples 1000000\n"
    "  evaluate runs/moons --solver dopri5 --rtol 1e-4 --density density.png\n"
    "  evaluate runs/two-modes --langevin\n"
    "  evaluate runs/fashion-mnist --classifier runs/fashion-mnist-classifier --guidance 2\n"
    "  evaluate runs/fashion-mnist-classifier\n"
    "Prints a table at a terminal, and one JSON object on one line elsewhere or with --json; docs/evaluation.md "
    "explains\n"
    "each key. Standard errors end in _se, and \"notes\" says why a measurement is missing.";

struct EvaluateSettings {
  SampleOptions common;
  Index count = 10000, loss_samples = 0, distance_points = 2000, nll_points = -1, probes = 8;
  double margin = 0, nll_tolerance = 1e-5;
  std::vector<std::string> distances = distance_names();
  bool langevin = false, json = false;
  std::string trace, density, classifier;
};

flow::LikelihoodOptions likelihood_options(const EvaluateSettings& settings, const TrainedModel& trained) {
  flow::LikelihoodOptions options;
  flow::AdaptiveOptions solver;
  solver.tolerance = {.rtol = settings.nll_tolerance, .atol = settings.nll_tolerance};
  options.solver = solver;
  options.seed = settings.common.seed;
  options.trace =
      settings.trace.empty() ? flow::default_trace(trained.model->dimension()) : flow::find_trace(settings.trace);
  options.probes = settings.probes;
  return options;
}

// Checks what the model and its data allow. This comes first, because measuring takes time.
void check_possible(const EvaluateSettings& settings, const TrainedModel& trained, const datasets::Data& data,
                    const flow::LikelihoodOptions& likelihood) {
  check_outputs({{"density", settings.density, {".png"}}}, {trained.data.source});
  const std::string missing = trained.model->no_density();
  if (!missing.empty() && !settings.density.empty()) throw UsageError(concat("--density: ", missing));
  if (trained.model->density_kind() != flow::DensityKind::kOde) {
    const EvaluateSettings by_default;
    for (const auto& [option, changed] :
         {std::pair("trace", !settings.trace.empty()), std::pair("probes", settings.probes != by_default.probes),
          std::pair("nll-tolerance", settings.nll_tolerance != by_default.nll_tolerance)}) {
      if (changed) {
        throw UsageError(concat("--", option, ": is for likelihoods by an ODE, but those of the family ",
                                trained.model->family(), " have none; leave it out"));
      }
    }
  } else if (likelihood.trace == flow::Trace::kExact && settings.probes != EvaluateSettings().probes) {
    throw UsageError("--probes: is for an estimated divergence, but the trace is exact; add --trace rademacher");
  }
  if (!missing.empty() && settings.nll_points > 0) throw UsageError(concat("--nll-points: ", missing));
  if (!settings.density.empty() && data.dimension() != 2) {
    throw UsageError(
        concat("--density: these data have ", counted(data.dimension(), "dimension"), ", and the picture has two"));
  }
  if (!settings.classifier.empty() && !trained.data.holds_images()) {
    throw UsageError(concat("--classifier: knows images, but these data are ", trained.data.text()));
  }
  const datasets::Density* truth = data.density();
  Generator rng(0);
  if (settings.margin > 0 && (truth == nullptr || !truth->distance_to_support(truth->sample(1, rng)))) {
    throw UsageError(concat("--margin: widens a support with sharp edges, but ", trained.data.text(), " has none"));
  }
  if (!settings.langevin) return;
  if (trained.model->scores()) {
    throw UsageError(concat("--langevin: models of the family ", trained.model->family(),
                            " sample by Langevin dynamics, as they are measured without this option"));
  }
  const datasets::Density* density = data.density();
  const std::optional<flow::Dynamics> dynamics = trained.model->dynamics();
  if (density == nullptr || density->mode_weights().empty() || !dynamics || trained.model->dynamics_are_latent() ||
      !dynamics->no_score.empty() || dynamics->path->noise().kind != flow::PathNoise::kNone) {
    throw UsageError(
        "--langevin: needs data with modes, and the score of a path without noise from Gaussian noise; try the preset "
        "two-modes");
  }
}

// Checks that the measurements fit into memory, before any is made.
void check_memory(const EvaluateSettings& settings, const TrainedModel& trained, Index nll_points,
                  const flow::LikelihoodOptions& likelihood) {
  const auto number = [](Index count) { return static_cast<double>(count); };
  const double dimension = number(trained.model->dimension());
  const Index points = settings.distance_points;
  if (trained.model->classes() == 0) {
    const bool for_distances = points > settings.count;
    SampleRequest request;
    request.count = std::max(settings.count, points);
    request.options = settings.common.generate_options(*trained.model);
    request.options.keep_trajectory = settings.common.is_ode() && points > 0;
    require_fits(for_distances ? "distance-points" : "count", request.count, numbers_of_samples(trained, request));
    // The costs of all pairs.
    if (trained.model->dimension() > flow::kDirectDimension) {
      require_fits("distance-points", points, number(points) * number(points));
    }
  }
  require_fits("nll-points", nll_points, 2 * number(nll_points) * dimension);
  if (likelihood.trace != flow::Trace::kExact) {
    require_fits("probes", likelihood.probes, number(likelihood.probes) * number(nll_points) * dimension);
  }
}

// Makes measurements one after the other, each independently: a failure of one does not affect the others, and all
// results are printed. Returns the exit code.
using Measurement = std::pair<const char*, std::function<void(Json& result)>>;
int make(const std::string& program, const std::vector<Measurement>& measurements, Json& result) {
  int code = kDone;
  const auto failed = [&](const char* name, const std::string& why) {
    note(result, name, why);
    std::cerr << program << ": " << name << ": " << why << std::endl;
    code = kFailed;
  };
  for (const auto& [name, measure] : measurements) {
    try {
      heed_stop_signal();
      measure(result);
    } catch (const Stopped&) {
      note(result, name, "stopped by a signal, and everything after it was left out");
      return 128 + stop_signal();
    } catch (const std::bad_alloc&) {
      failed(name, "out of memory");
    } catch (const std::exception& error) {
      failed(name, one_line(error.what()));
    }
  }
  return code;
}

// Samples of Langevin dynamics on the learned score, from the same noise, for data with modes.
void measure_langevin(const EvaluateSettings& settings, const TrainedModel& trained, const datasets::Data& data,
                      Json& result) {
  constexpr double kTime = 0.95;  // late enough for the data's modes, early enough for a moderate score
  constexpr Index kSteps = 2000;
  Phase phase("running Langevin dynamics", static_cast<double>(kSteps * settings.count));
  const flow::Dynamics dynamics = watched(trained.model->dynamics().value(), phase);
  const auto score = [&](const Tensor& x) { return flow::score_at(dynamics, x, Tensor::full({x.dim(0)}, kTime)); };
  Generator rng(settings.common.seed);
  const Tensor x =
      flow::langevin(score, dynamics.sample_source(settings.count, rng), {.step_size = 0.01, .steps = kSteps}, rng);
  require_finite_samples(x, result["langevin"]);
  measure_shares(*data.density(), x / dynamics.path->scheduler().at(kTime).alpha, settings.margin, result["langevin"]);
}

Tensor first_rows(const Tensor& x, Index n) { return slice(x, 0, 0, n); }

Samples first_samples(Samples samples, Index n) {
  samples.x = first_rows(samples.x, n);
  for (Tensor& x : samples.trajectory) x = first_rows(x, n);
  return samples;
}

// Draws samples for the measurements after it; there are none until they are drawn, or if they are not finite.
std::vector<Measurement> of_samples(const EvaluateSettings& settings, const TrainedModel& trained,
                                    const datasets::Data& data) {
  const auto samples = std::make_shared<std::optional<Samples>>();
  const bool distances = settings.distance_points > 0;
  // Stochastic trajectories have no velocity, and no energy.
  const bool straight =
      settings.common.is_ode() && trained.model->dynamics().has_value() && !trained.model->dynamics_are_latent();
  std::vector<Measurement> list;
  list.emplace_back("samples", [&, samples, distances, straight](Json& result) {
    SampleRequest request;
    request.count = std::max(settings.count, settings.distance_points);
    settings.common.apply(*trained.model, request);
    request.options.keep_trajectory = straight && distances;
    Samples drawn = draw_samples(trained, request);
    result["samples"] = request.count;
    result["function_evaluations"] = drawn.evaluations;
    result["sampling_seconds"] = drawn.seconds;
    require_finite_samples(drawn.x, result);
    *samples = std::move(drawn);
  });
  if (data.density() != nullptr) {
    list.emplace_back("shares", [&, samples](Json& result) {
      if (*samples) measure_shares(*data.density(), (*samples)->x, settings.margin, result);
    });
  }
  if (!distances) return list;
  list.emplace_back("distances", [&, samples](Json& result) {
    if (!*samples) return;
    *samples = first_samples(std::move(**samples), settings.distance_points);
    measure_distances(data, (*samples)->x, settings.distances, settings.common.seed, result);
  });
  if (!straight) return list;
  list.emplace_back("ways", [&, samples](Json& result) {
    if (*samples) measure_paths(data, **samples, settings.common.seed, result);
  });
  return list;
}

// The classifier that judges the flow's images.
std::optional<TrainedClassifier> open_classifier(const EvaluateSettings& settings,
                                                 const datasets::DataDescription& data) {
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
  settings.common.apply(*trained.model, request);
  result["classifier"] = settings.classifier;
  result["guidance"] = settings.common.guidance;
  tools::measure_images(trained, classifier, request, settings.count, result);
}

// What the model can say of the density of a point.
const char* likelihood_text(flow::DensityKind kind) {
  switch (kind) {
    case flow::DensityKind::kNone:
      return "none";
    case flow::DensityKind::kBound:
      return "a bound";
    case flow::DensityKind::kOde:
      return "by an ODE";
    case flow::DensityKind::kExact:
      break;
  }
  return "exact";
}

// Prints what was measured, and why the rest was not.
int measure(const std::string& program, const EvaluateSettings& settings) {
  const auto start = std::chrono::steady_clock::now();
  Json result = {{"run", settings.common.run}};
  const auto print = [&](int code) {
    result["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (result.contains("notes")) result["notes"] = result.take("notes");  // last
    const bool for_people = !settings.json && ::isatty(STDOUT_FILENO) != 0;
    std::cout << (for_people ? as_table(result) : dump_json(result) + "\n");
    return code;
  };
  std::variant<TrainedModel, TrainedClassifier> run = load_run(settings.common.run);
  if (auto* classifier = std::get_if<TrainedClassifier>(&run)) {
    settings.common.locate(classifier->data);
    return print(make(program, {{"test images", [&](Json& to) { measure_classifier(*classifier, to); }}}, result));
  }

  TrainedModel& trained = std::get<TrainedModel>(run);
  settings.common.locate(trained.data);
  // A pipe that training has already read would block forever.
  std::error_code absent;
  const bool is_there = !trained.data.is_table() || std::filesystem::is_regular_file(trained.data.source, absent);
  require_file(is_there, trained.data.source, "there is no such file; give its new place with --data");
  const std::unique_ptr<datasets::Data> data = datasets::open_data(trained.data, datasets::Split::kTest);
  const flow::LikelihoodOptions likelihood = likelihood_options(settings, trained);
  check_possible(settings, trained, *data, likelihood);
  SampleRequest unused;
  settings.common.apply(*trained.model, unused);  // throws for options that this model does not support
  const std::optional<TrainedClassifier> classifier = open_classifier(settings, trained.data);
  const bool images = trained.data.holds_images();
  const std::uint64_t seed = settings.common.seed;
  result["data"] = trained.data.text();
  result["family"] = trained.model->family();
  result["likelihood"] = likelihood_text(trained.model->density_kind());
  if (data->size()) result["data_points"] = *data->size();
  result["solver"] = settings.common.solver_text(*trained.model);
  result["seed"] = seed;

  const Index loss_samples = settings.loss_samples > 0 ? settings.loss_samples : images ? 10000 : 100000;
  std::vector<Measurement> list = {{"loss", [&](Json& to) { measure_loss(trained, *data, loss_samples, seed, to); }}};
  if (trained.model->classes() == 0) {
    for (Measurement& measurement : of_samples(settings, trained, *data)) list.push_back(std::move(measurement));
  }
  if (classifier) {
    list.emplace_back("images", [&](Json& to) { measure_images(settings, trained, *classifier, to); });
  }
  const std::string missing = trained.model->no_density();
  const Index nll_points = settings.nll_points >= 0 ? settings.nll_points : images ? 0 : 2000;
  check_memory(settings, trained, nll_points, likelihood);
  if (nll_points > 0 && missing.empty()) {
    list.emplace_back("nll", [&](Json& to) { measure_likelihood(trained, *data, likelihood, nll_points, seed, to); });
  } else if (nll_points > 0) {
    note(result, "nll", concat("left out: ", missing));
  }
  if (settings.langevin) {
    list.emplace_back("langevin", [&](Json& to) { measure_langevin(settings, trained, *data, to); });
  }
  if (!settings.density.empty()) {
    list.emplace_back("density", [&](Json&) {
      Phase phase("drawing the density", 0);
      const TitledDensity learned[] = {{"learned", learned_log_density(trained, likelihood, phase)}};
      write_png(settings.density, density_picture(*data, learned, settings.common.seed));
    });
  }
  return print(make(program, list, result));
}

int evaluate(int argc, const char* const* argv) {
  EvaluateSettings settings;
  Options options(
      "evaluate",
      "Measures a trained model: its loss on fresh data (for a table, on the rows it was trained on), the distances of "
      "its samples from them, their likelihood, and its trajectories. For a classifier: its accuracy on the test "
      "images.",
      kExample);
  settings.common.declare(options);
  options.group("Measurements");
  options.add("count", settings.count, "COUNT",
              "samples to draw: for shares in the support and in modes, or to compare with test images");
  options.add("loss-samples", settings.loss_samples, "COUNT",
              "points for the loss; 0 for 100000, or 10000 test images");
  options.add("margin", settings.margin, "DISTANCE", "samples this far outside the support still count as inside");
  options.add("distance-points", settings.distance_points, "COUNT",
              "points for the distances and trajectories; 0 to omit them");
  options.add("distances", settings.distances, "NAMES", "which distances to data");
  options.add("nll-points", settings.nll_points, "COUNT",
              "fresh points for the likelihood; 0 to omit it; -1 for 2000, or none for images");
  options.add("nll-tolerance", settings.nll_tolerance, "SHARE", "of its solver (dopri5), relative and absolute");
  options.add("trace", settings.trace, "NAME",
              concat("how the divergence is computed: ", joined(flow::trace_names()),
                     "; by default exact, or rademacher in more than 32 dimensions"));
  options.add("probes", settings.probes, "COUNT", "random probes for an estimated divergence");
  options.add("langevin", settings.langevin, "",
              "densities with modes: also measure Langevin dynamics on the learned score");
  options.add("classifier", settings.classifier, "RUN",
              "images: a classifier's run, for label accuracy, Frechet distance, precision, recall and memorization");
  options.add("json", settings.json, "", "print JSON at a terminal, too", Place::kCommandLine);
  options.add("density", settings.density, "FILE", "a .png: the learned log density and the data's, in two dimensions",
              Place::kCommandLine);
  if (!settings.common.read(options, argc, argv)) return kDone;
  settings.common.check();
  if (!(settings.nll_tolerance > 0)) {
    throw UsageError(concat("--nll-tolerance: expected a number above 0, got ", settings.nll_tolerance));
  }
  require_at_least("count", static_cast<double>(settings.count), 1);
  require_at_least("loss-samples", static_cast<double>(settings.loss_samples), 0);
  require_at_least("distance-points", static_cast<double>(settings.distance_points), 0);
  require_at_least("nll-points", static_cast<double>(settings.nll_points), -1);
  require_at_least("probes", static_cast<double>(settings.probes), 1);
  // Precision and recall use the three nearest neighbors of a sample.
  if (!settings.classifier.empty()) require_at_least("count", static_cast<double>(settings.count), 4);
  if (!settings.trace.empty()) flow::find_trace(settings.trace);
  check_distances(settings.distances);
  require_at_least("margin", settings.margin, 0);
  use_threads(settings.common.threads);
  remember_stop_signals();
  return measure(program_name(argv[0]), settings);
}

}  // namespace
}  // namespace rill::tools

int main(int argc, char** argv) {
  return rill::tools::run_program(argv[0], [&] { return rill::tools::evaluate(argc, argv); });
}
