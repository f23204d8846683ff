#include "tools/measurements.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random_streams.hpp"
#include "autodiff/text.hpp"
#include "flow/metrics/dequantization.hpp"
#include "flow/metrics/metrics.hpp"
#include "flow/solver/adaptive.hpp"
#include "tools/cli/phase.hpp"
#include "tools/cli/ticker.hpp"
#include "tools/watched.hpp"

namespace rill::tools {
namespace {}  // namespace

void note(Json& result, const std::string& about, const std::string& text) { result["notes"][about] = text; }

void put(Json& result, const std::string& name, double value) {
  result[name] = std::isfinite(value) ? Json(value) : Json(nullptr);
  if (std::isnan(value)) note(result, name, "not a number");
  if (std::isinf(value)) note(result, name, value > 0 ? "infinite" : "minus infinity");
}

void put(Json& result, const std::string& name, const flow::Estimate& estimate) {
  put(result, name, estimate.value);
  put(result, name + "_se", estimate.standard_error);
}

std::string points_text(const datasets::DataDescription& data) {
  if (data.is_table()) return "training rows";
  return data.holds_images() ? "test images" : "fresh points";
}

void require_finite_samples(const Tensor& samples, Json& result) {
  const Index dimension = samples.dim(1);
  Index bad = 0;
  for (Index i = 0; i < samples.dim(0); ++i) {
    const Real* row = samples.data() + i * dimension;
    bad += std::all_of(row, row + dimension, [](Real x) { return std::isfinite(x); }) ? 0 : 1;
  }
  if (bad == 0) return;
  result["samples_not_finite"] = bad;
  throw std::runtime_error(concat(bad, " of ", samples.dim(0), " are NaN or infinite, so nothing is measured on them"));
}

void measure_loss(const TrainedModel& trained, const datasets::Data& data, Index samples, std::uint64_t seed,
                  Json& result) {
  constexpr Index kBatch = 1000;
  Phase phase("measuring the loss", static_cast<double>(samples));
  const auto watched_batches = [&phase, batches = data.batches(std::min(samples, kBatch), seed)](Index n,
                                                                                                 Generator& rng) {
    datasets::Batch batch = batches(n, rng);
    phase.advance(static_cast<double>(batch.x_1.dim(0)));
    return batch;
  };
  put(result, "loss", trained.model->held_out_loss(watched_batches, samples, seed));
  result["loss_on"] = points_text(data.description());
  result["loss_samples"] = samples;
}

void measure_shares(const datasets::Density& density, const Tensor& samples, double margin, Json& result) {
  if (const auto share = flow::share_in_support(density, samples, margin)) {
    put(result, "share_in_support", *share);
    result["margin"] = margin;
  }
  if (density.mode_weights().size() < 2) return;
  const flow::ModeMasses masses = flow::mode_masses(density, samples);
  result["mode_weights"] = masses.weights;
  for (const flow::Estimate& share : masses.shares) {
    result["mode_shares"].push_back(share.value);
    result["mode_shares_se"].push_back(share.standard_error);
  }
  put(result, "mode_chi_square", masses.chi_square);
  result["least_filled_mode"] = masses.least_filled;
}

namespace {

struct Distance {
  std::string name;
  Index least;  // the number of points of each set that it needs
  int power;    // of its unit of length
  bool has_floor;
  std::function<flow::Estimate(const Tensor& samples, const Tensor& fresh)> measure;
};

std::vector<Distance> all_distances(std::uint64_t seed) {
  const auto sliced = [seed](const Tensor& a, const Tensor& b) {
    Generator rng(seed, streams::kSlices);
    return flow::sliced_wasserstein2(a, b, rng);
  };
  const auto mmd = [](const Tensor& a, const Tensor& b) { return flow::squared_mmd(a, b); };
  return {{"wasserstein1", 1, 1, true, flow::wasserstein1},
          {"wasserstein2", 1, 1, true, flow::wasserstein2},
          {"sliced_wasserstein2", 1, 1, true, sliced},
          {"energy_distance", 3, 1, false, flow::energy_distance},
          {"squared_mmd", 3, 0, false, mmd}};
}

// Converts an estimate from measuring units to the data's units.
flow::Estimate in_data_units(const datasets::Data& data, const flow::Estimate& measured, int power) {
  const double unit = std::pow(datasets::measuring_unit(data.description()), power);
  return {unit * measured.value, unit * measured.standard_error};
}

Tensor first_rows(const Tensor& x, Index n) { return slice(x, 0, 0, n); }

}  // namespace

std::vector<std::string> distance_names() {
  std::vector<std::string> names;
  for (const Distance& distance : all_distances(0)) names.push_back(distance.name);
  return names;
}

void check_distances(const std::vector<std::string>& names) {
  const std::vector<std::string> known = distance_names();
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    fail("--distances: ", unknown_name("distance", name, known));
  }
}

void measure_distances(const datasets::Data& data, const Tensor& samples, const std::vector<std::string>& names,
                       std::uint64_t seed, Json& result) {
  check_distances(names);
  const Index n = std::min(samples.dim(0), data.size().value_or(samples.dim(0)));
  const auto measured = [&](const Tensor& x) { return datasets::to_measuring_units(data.description(), x); };
  const Tensor moved = measured(first_rows(samples, n)), fresh = measured(draw_data(data, n, seed, 0));
  // Two draws from a table may share rows; the halves of one draw do not.
  Tensor first, second;
  if (!data.size()) {
    first = measured(draw_data(data, n, seed, 1));
    second = fresh;
  } else if (2 * n <= *data.size()) {
    const Tensor both = measured(draw_data(data, 2 * n, seed, 1));
    first = first_rows(both, n);
    second = slice(both, 0, n, 2 * n);
  }
  result["distance_points"] = n;
  result["distances_to"] = points_text(data.description());
  Phase phase("measuring distances", 0);  // their times differ, and most report no progress
  const Ticker ticker(phase);
  for (const auto& [name, least, power, has_floor, measure] : all_distances(seed)) {
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    phase.advance(0);
    if (n < least) {
      note(result, name, concat("omitted: it needs at least ", least, " points"));
      continue;
    }
    if (name == "squared_mmd" && flow::median_distance(moved, fresh) == 0) {
      note(result, name, "omitted: half of the points are equal, so its bandwidths would be 0");
      continue;
    }
    put(result, name, in_data_units(data, measure(moved, fresh), power));
    if (!has_floor) continue;
    if (first.defined()) {
      put(result, name + "_floor", in_data_units(data, measure(first, second), power));
    } else {
      note(result, name + "_floor", concat("omitted: it needs twice as many ", points_text(data.description())));
    }
  }
}

void measure_paths(const datasets::Data& data, const Samples& samples, std::uint64_t seed, Json& result) {
  std::vector<Tensor> ways;
  for (const Tensor& x : samples.trajectory) ways.push_back(datasets::to_measuring_units(data.description(), x));
  const Index n = std::min(samples.x.dim(0), data.size().value_or(samples.x.dim(0)));
  const Tensor fresh = datasets::to_measuring_units(data.description(), draw_data(data, n, seed, 2));
  Phase phase("measuring trajectories", 0);
  const Ticker ticker(phase);
  const flow::Estimate energy = flow::path_energy(samples.times, ways);
  const flow::Estimate distance2 = flow::wasserstein2(first_rows(ways.front(), n), fresh);
  put(result, "path_energy", in_data_units(data, energy, 2));
  if (distance2.value > 0) {
    put(result, "normalized_path_energy", flow::normalized_path_energy(energy, distance2));
  } else {
    note(result, "normalized_path_energy", "omitted: the distance between source and data is 0");
  }
  put(result, "straightness", in_data_units(data, flow::straightness(samples.times, ways), 2));
}

flow::LogDensity learned_log_density(const TrainedModel& trained, const flow::LikelihoodOptions& options, Phase& phase,
                                     const Indices& labels) {
  const std::optional<flow::Dynamics> dynamics = trained.model->dynamics();
  if (trained.model->density_kind() != flow::DensityKind::kOde || !dynamics) {
    return [&trained, labels](const Tensor& x) {
      return trained.model->log_density(x, labels) - datasets::log_volume(trained.data);
    };
  }
  flow::LikelihoodOptions of_flow = options;
  of_flow.source = dynamics->source_log_density;
  return [&trained, of_flow, velocity = watched(*dynamics, phase).velocity, labels](const Tensor& x) {
    try {
      return flow::log_likelihood(velocity, x, labels, of_flow).log_p - datasets::log_volume(trained.data);
    } catch (const flow::SolveError& error) {
      // The solver's own advice names other options than the likelihood's.
      throw std::runtime_error(concat("the solver of the likelihood gives up at t = ", error.t, " with steps of ",
                                      error.h, "; loosen --nll-tolerance"));
    }
  };
}

void measure_likelihood(const TrainedModel& trained, const datasets::Data& data, const flow::LikelihoodOptions& options,
                        Index points, std::uint64_t seed, Json& result) {
  Generator rng(seed, streams::kLikelihoodData);
  const datasets::Batch drawn = data.draw(points, rng);
  const Tensor& x = drawn.x_1;
  Phase phase("measuring the likelihood", 0);
  const flow::LogDensity learned = learned_log_density(trained, options, phase, drawn.labels);
  result["nll_points"] = x.dim(0);
  // Bounds of ln p from below bound these from above.
  const std::string bound = trained.model->density_kind() == flow::DensityKind::kBound ? "_bound" : "";
  if (trained.data.holds_images()) {
    put(result, "bits_per_dimension" + bound, flow::bits_per_dimension(learned, flow::levels_of(x), 1, rng).average);
    result["bits_per_dimension_on"] = points_text(trained.data);
    return;
  }
  const Tensor log_q = learned(x);
  put(result, "nll" + bound, flow::negative_log_likelihood(log_q));
  result["nll_on"] = points_text(trained.data);
  if (trained.data.is_table()) {
    note(result, "nll", "on rows that the model was trained on; that of new data is not known, and likely higher");
  }
  if (data.density() == nullptr) return;
  if (const auto entropy = data.density()->entropy()) result["entropy"] = *entropy;
  if (const auto log_p = data.density()->log_density(x)) put(result, "kl" + bound, flow::kl_divergence(*log_p, log_q));
}

}  // namespace rill::tools
