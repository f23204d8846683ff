// What `evaluate` reports, as JSON: every estimate under its name, its standard error under the name plus "_se".
// docs/evaluation.md explains all keys.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autodiff/json.hpp"
#include "datasets/data.hpp"
#include "flow/metrics/estimate.hpp"
#include "flow/metrics/likelihood.hpp"
#include "tools/cli/phase.hpp"
#include "tools/run.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {

/// Adds an entry to the object "notes": a remark on a measurement, or why it is missing.
void note(Json& result, const std::string& about, const std::string& text);

/// Adds a value. JSON has no infinity and no NaN: they become null, with a note.
void put(Json& result, const std::string& name, double value);
void put(Json& result, const std::string& name, const flow::Estimate& estimate);

/// The kind of data that measurements use, for keys that end in _on or _to: "fresh points" of a density, "test images",
/// or "training rows" of a table, which has no others.
std::string points_text(const datasets::DataDescription& data);

/// Throws std::runtime_error if any sample is NaN or infinite, after adding their number.   samples: [N, D]
void require_finite_samples(const Tensor& samples, Json& result);

// The functions below show their progress, and throw Stopped if a signal asks to stop (tools/cli/phase.hpp).

/// The loss on held-out data: fresh points or test images; for a table, on the training rows.
void measure_loss(const TrainedModel& trained, const datasets::Data& data, Index samples, std::uint64_t seed,
                  Json& result);

/// Samples against a density: the shares in its support and in each of its modes.
void measure_shares(const datasets::Density& density, const Tensor& samples, double margin, Json& result);

/// The distances that measure_distances() knows.
std::vector<std::string> distance_names();
/// Throws std::invalid_argument, listing the known ones, for an unknown name.
void check_distances(const std::vector<std::string>& names);

/// The named distances, in the data's units, between samples in the model's units and as many data points, or as many
/// as there are. For Wasserstein distances also the floor, between two disjoint sets of data, if there are enough
/// points. What these points do not allow is omitted, with a note. Throws as check_distances().
void measure_distances(const datasets::Data& data, const Tensor& samples, const std::vector<std::string>& names,
                       std::uint64_t seed, Json& result);

/// The trajectories of samples: their energy, also normalized by the least possible, W_2^2 between source and data
/// (omitted if that is 0), and their straightness, in the data's units.
void measure_paths(const datasets::Data& data, const Samples& samples, std::uint64_t seed, Json& result);

/// ln p in nats in the data's units, at points in the model's units, with labels if there are classes; of the model
/// itself, however the samples were drawn. With dynamics, it solves back to the source, whose density replaces that of
/// the options, and every evaluation advances the phase. The model and the phase must outlive it.
flow::LogDensity learned_log_density(const TrainedModel& trained, const flow::LikelihoodOptions& options, Phase& phase,
                                     const Indices& labels = {});

/// The likelihood of fresh data, or of a table's training rows, each used once: in nats and, if the density is known,
/// the divergence from it; for images, bits per dimension, given their labels.
void measure_likelihood(const TrainedModel& trained, const datasets::Data& data, const flow::LikelihoodOptions& options,
                        Index points, std::uint64_t seed, Json& result);

}  // namespace rill::tools
