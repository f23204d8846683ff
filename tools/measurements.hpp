// What `evaluate` reports, as JSON: every estimate under its name, its standard error under the name with "_se". All
// keys are explained in docs/evaluation.md.
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

/// What there is to say about a measure, or why it is not there: an entry of the object "notes".
void note(Json& result, const std::string& about, const std::string& text);

/// JSON has no infinity and no NaN: they become null, with a note.
void put(Json& result, const std::string& name, double value);
void put(Json& result, const std::string& name, const flow::Estimate& estimate);

/// What data are drawn from to be measured against, under keys that end in _on or _to: "fresh points" of a density,
/// "test images", and of a table "training rows", as there are no others.
std::string points_text(const datasets::DataDescription& data);

/// Throws std::runtime_error when a sample is NaN or infinite, having put down how many are.   samples: [N, D]
void require_finite_samples(const Tensor& samples, Json& result);

// All of these show how far they are, and throw Stopped when a signal asks to stop (tools/cli/phase.hpp).

/// The loss on data that training has not seen: fresh points, or the test images. Of a table on the training rows.
void measure_loss(const TrainedModel& trained, const datasets::Data& data, Index samples, std::uint64_t seed,
                  Json& result);

/// Samples against a density: the share in its support, and what each of its modes holds.
void measure_shares(const datasets::Density& density, const Tensor& samples, double margin, Json& result);

/// The distances that measure_distances() knows.
std::vector<std::string> distance_names();
/// Throws std::invalid_argument, listing the known ones, for an unknown name.
void check_distances(const std::vector<std::string>& names);

/// Samples, in the model's units, against as many data, or as many as there are: the distances of these names in the
/// data's units, and of the Wasserstein distances also the floor, between two sets of data, where there are enough for
/// two that share no point. What these points do not allow is left out, with a note. Throws as check_distances().
void measure_distances(const datasets::Data& data, const Tensor& samples, const std::vector<std::string>& names,
                       std::uint64_t seed, Json& result);

/// The ways of samples from source points to where they ended: energy, beside the least possible, W_2^2 between source
/// and data (left out where that is 0), and straightness, in the data's units.
void measure_paths(const datasets::Data& data, const Samples& samples, std::uint64_t seed, Json& result);

/// ln p in nats in the data's units, at points in the model's, with labels where there are classes; the model's own,
/// whatever the samples were drawn by. With dynamics, by solving back to the source, whose density takes the place of
/// the options' own, and every evaluation advances the phase. The model and the phase must outlive it.
flow::LogDensity learned_log_density(const TrainedModel& trained, const flow::LikelihoodOptions& options, Phase& phase,
                                     const Indices& labels = {});

/// Likelihood of fresh data, or of a table's training rows, each counted once: nats and, where the density is known,
/// the divergence from it; bits per dimension of images, given their labels.
void measure_likelihood(const TrainedModel& trained, const datasets::Data& data, const flow::LikelihoodOptions& options,
                        Index points, std::uint64_t seed, Json& result);

}  // namespace rill::tools
