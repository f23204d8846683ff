// What `evaluate` reports, as JSON: every estimate under its name, its standard error under the name with "_se".
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "flow/estimate.hpp"
#include "flow/likelihood.hpp"
#include "tools/data.hpp"
#include "tools/run.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {

/// JSON has no infinity and no NaN: they become null.
void put(nlohmann::ordered_json& result, const std::string& name, const flow::Estimate& estimate);

/// The loss on data that training has not seen: fresh points, or the test images. Of a table there are no others.
void measure_loss(const TrainedModel& trained, const Data& data, Index samples, std::uint64_t seed,
                  nlohmann::ordered_json& result);

/// Samples against a density: the share in its support, and what each of its modes holds.
void measure_shares(const datasets::Density& density, const Tensor& samples, double margin,
                    nlohmann::ordered_json& result);

/// The distances that measure_distances() knows.
std::vector<std::string> distance_names();
/// Throws std::invalid_argument, listing the known ones, for an unknown name.
void check_distances(const std::vector<std::string>& names);

/// Samples, in the model's units, against as many data, or as many as there are: the distances of these names in the
/// data's units, and of the Wasserstein distances also the floor, between two sets of data, where there are enough for
/// two that share no point. Throws as check_distances().
void measure_distances(const Data& data, const Tensor& samples, const std::vector<std::string>& names,
                       std::uint64_t seed, nlohmann::ordered_json& result);

/// The ways of samples from source points to where they ended: energy, beside the least possible, W_2^2 between source
/// and data, and straightness, in the data's units.
void measure_paths(const Data& data, const Samples& samples, std::uint64_t seed, nlohmann::ordered_json& result);

/// ln p in nats in the data's units, at points in the model's, with labels where there are classes; the flow's,
/// whatever the samples were drawn by.
flow::LogDensity learned_log_density(const TrainedModel& trained, const flow::LikelihoodOptions& options,
                                     const Indices& labels = {});

/// Likelihood of fresh data: nats and, where the density is known, the divergence from it; bits per dimension of
/// images, given their labels.
void measure_likelihood(const TrainedModel& trained, const Data& data, const flow::LikelihoodOptions& options,
                        Index points, std::uint64_t seed, nlohmann::ordered_json& result);

}  // namespace rill::tools
