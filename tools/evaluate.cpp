// Measures how good a trained flow is.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "autodiff/error.hpp"
#include "flow/metrics.hpp"
#include "flow/trainer.hpp"
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
    "  evaluate runs/moons --solver rk4 --steps 20 --w2-points 1000\n"
    "Prints one JSON object on stdout.";

struct EvaluateSettings {
  SampleOptions common;
  Index count = 10000, loss_samples = 0, w2_points = 2000;
  double margin = 0;
};

// On data that training has not seen: fresh points, or the test images. Of a table there are no others.
double fresh_loss(const TrainedModel& trained, const Data& data, Index samples, std::uint64_t seed) {
  constexpr Index kBatch = 1000;
  return flow::held_out_loss(*trained.model, trained.flow.examples(data.dimension()), data.batches(std::min(samples, kBatch), seed), samples, seed);
}

// Of each component of a mixture, the share of the points that are nearer to its centre than to any other.
std::vector<double> mode_shares(const std::vector<datasets::Mode>& modes, const Tensor& x) {
  std::vector<double> shares(modes.size());
  const Index d = x.dim(1);
  for (Index i = 0; i < x.dim(0); ++i) {
    std::vector<double> distances;
    for (const datasets::Mode& mode : modes) {
      double squared = 0;
      for (Index j = 0; j < d; ++j)
        squared += std::pow(x.data()[i * d + j] - mode.mean[static_cast<std::size_t>(j)], 2);
      distances.push_back(squared);
    }
    const auto nearest = std::min_element(distances.begin(), distances.end()) - distances.begin();
    shares[static_cast<std::size_t>(nearest)] += 1;
  }
  for (double& share : shares) share /= static_cast<double>(x.dim(0));
  return shares;
}

// What can be said of samples of a density that is known.
void compare(const datasets::Density& density, const Tensor& x, double margin, Json& result) {
  if (const auto share = density.share_in_support(x, margin)) {
    result["share_in_support"] = *share;
    result["margin"] = margin;
  }
  const std::vector<datasets::Mode> modes = density.modes();
  if (modes.size() < 2) return;
  for (const datasets::Mode& mode : modes) result["mode_weights"].push_back(mode.weight);
  result["mode_shares"] = mode_shares(modes, x);
}

Tensor first_rows(const Tensor& x, Index n) { return slice(x, 0, 0, n); }

Json measure(const EvaluateSettings& settings, const flow::GenerateOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const TrainedModel trained = load_trained_model(settings.common.run);
  const std::unique_ptr<Data> data = open_data(trained.flow.data, Split::kTest);
  const bool images = trained.flow.data.kind == "images";
  const std::uint64_t seed = settings.common.seed;
  const Index loss_samples = settings.loss_samples > 0 ? settings.loss_samples : images ? 10000 : 100000;

  Json result = {{"run", settings.common.run},
                 {"data", trained.flow.data.text()},
                 {"solver", settings.common.solver},
                 {"steps", settings.common.steps},
                 {"seed", seed}};
  result["loss"] = fresh_loss(trained, *data, loss_samples, seed);
  result["loss_samples"] = loss_samples;

  SampleRequest request{
      .count = std::max(settings.count, settings.w2_points), .labels = {}, .options = options, .seed = seed};
  if (trained.description.classes == 0) {
    const Samples samples = draw_samples(trained, request);
    result["samples"] = samples.x.dim(0);
    result["function_evaluations"] = samples.evaluations;
    result["sampling_seconds"] = samples.seconds;
    if (data->density() != nullptr) compare(*data->density(), samples.x, settings.margin, result);
    if (settings.w2_points > 0) {
      const Index n = settings.w2_points;
      const Tensor fresh = draw_data(*data, n, seed, 0), more = draw_data(*data, n, seed, 1);
      result["wasserstein2"] = flow::wasserstein2(first_rows(samples.x, n), fresh).value;
      result["wasserstein2_floor"] = flow::wasserstein2(more, fresh).value;
      result["wasserstein2_points"] = n;
    }
  } else {
    result["function_evaluations"] = options.steps * options.method->stages;
  }
  result["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

int evaluate(int argc, const char* const* argv) {
  EvaluateSettings settings;
  Options options("evaluate", "Measures a trained flow: its loss on fresh data and how far its samples are from them.",
                  kExample);
  settings.common.declare(options);
  options.add("count", settings.count, "COUNT", "samples to draw");
  options.add("loss-samples", settings.loss_samples, "COUNT",
              "points for the loss; 0 for 100000, or 10000 test images");
  options.add("margin", settings.margin, "DISTANCE", "samples this far outside the support still count as inside");
  options.add("w2-points", settings.w2_points, "COUNT", "points for the 2-Wasserstein distance; 0 to leave it out");
  if (!read_options(options, argc, argv)) return kDone;
  const flow::GenerateOptions generate = settings.common.complete();
  require_at_least("count", static_cast<double>(settings.count), 1);
  require_at_least("loss-samples", static_cast<double>(settings.loss_samples), 0);
  require_at_least("w2-points", static_cast<double>(settings.w2_points), 0);
  require_at_least("margin", settings.margin, 0);
  use_threads(settings.common.threads);
  std::cout << measure(settings, generate).dump() << '\n';
  return kDone;
}

}  // namespace
}  // namespace rill::tools

int main(int argc, char** argv) {
  return rill::tools::run_program("evaluate", [&] { return rill::tools::evaluate(argc, argv); });
}
