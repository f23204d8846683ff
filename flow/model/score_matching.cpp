#include "flow/model/score_matching.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autodiff/description_json.hpp"
#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/summary.hpp"
#include "flow/loss/score_matching.hpp"
#include "flow/model/generate.hpp"
#include "flow/model/guidance.hpp"
#include "flow/model/network_model_texts.hpp"
#include "flow/path/example.hpp"
#include "flow/path/path.hpp"
#include "flow/solver/velocity_divergence.hpp"
#include "nn/time_networks.hpp"
#include "nn/trainer.hpp"

namespace rill::flow {
namespace {

double time_of_level(const ScoreMatchingDescription& description, Index level) {
  return description.levels > 1 ? static_cast<double>(level) / static_cast<double>(description.levels - 1) : 1;
}

double sigma_at(const ScoreMatchingDescription& description, double t) {
  return description.most_noise * std::pow(description.least_noise / description.most_noise, t);
}

class NetworkScore final : public VelocityField {
 public:
  NetworkScore(std::shared_ptr<const nn::TimeNetwork> network, const ScoreMatchingDescription& description)
      : VelocityField(network->dimension(), network->classes()),
        network_(std::move(network)),
        description_(description) {}

  Tensor operator()(const Tensor& x, const Tensor& t, const Indices& labels) const override {
    Tensor scale = Tensor::empty(t.shape()), inverse_sigma = Tensor::empty(t.shape());
    for (Index i = 0; i < t.size(); ++i) {
      const double sigma = sigma_at(description_, static_cast<double>(t.data()[i]));
      scale.data()[i] = static_cast<Real>(1 / std::hypot(1, sigma));
      inverse_sigma.data()[i] = static_cast<Real>(1 / sigma);
    }
    return per_sample(inverse_sigma, 2) * network_->forward(per_sample(scale, 2) * x, t, labels);
  }

 private:
  std::shared_ptr<const nn::TimeNetwork> network_;
  ScoreMatchingDescription description_;
};

void check(const ScoreMatchingDescription& description) {
  require_known("score matching", description.matching, score_matching_names());
  require(1 <= description.levels && description.levels <= kMostLevels, "noise_levels: expected 1 to ", kMostLevels,
          ", got ", description.levels);
  require(0 < description.least_noise && description.least_noise <= description.most_noise &&
              std::isfinite(description.most_noise),
          "least_noise: expected a number above 0, at most most_noise, got ", description.least_noise, " and ",
          description.most_noise);
}

}  // namespace

std::vector<std::string> score_matching_names() { return {"denoising", "exact", "sliced"}; }

ScoreMatchingObjective::ScoreMatchingObjective(std::shared_ptr<const VelocityField> score,
                                               const ScoreMatchingDescription& description)
    : score_(std::move(score)), description_(description) {
  check(description_);
  require_label_dropout(score_->classes(), description_.label_dropout);
}

ScoreMatchingExample ScoreMatchingObjective::make_example(const datasets::Batch& batch, Generator& rng) const {
  const Index n = batch.x_1.dim(0);
  ScoreMatchingExample example{
      .x = {}, .z = {}, .t = Tensor::rand({n}, rng), .sigma = Tensor::empty({n}), .probes = {}, .labels = {}};
  for (Index i = 0; i < n; ++i) {
    const auto u = static_cast<double>(example.t.data()[i]);
    const Index level =
        std::min(static_cast<Index>(u * static_cast<double>(description_.levels)), description_.levels - 1);
    const double t = time_of_level(description_, level);
    example.t.data()[i] = static_cast<Real>(t);
    example.sigma.data()[i] = static_cast<Real>(sigma_at(description_, t));
  }
  example.z = Tensor::randn(batch.x_1.shape(), rng);
  example.x = batch.x_1 + per_sample(example.sigma, 2) * example.z;
  if (description_.matching == "sliced") example.probes = draw_probes(Trace::kRademacher, 1, example.x.shape(), rng);
  example.labels = drop_labels(batch.labels, description_.label_dropout, score_->classes(), rng);
  return example;
}

Tensor ScoreMatchingObjective::loss(const ScoreMatchingExample& example) const {
  const auto score = [&](const Tensor& x, const Tensor& t) { return (*score_)(x, t, example.labels); };
  if (description_.matching == "denoising") {
    return denoising_score_matching_loss(score, example.x, example.t, example.sigma, example.z);
  }
  return implicit_score_matching_loss(score, example.x, example.t, square(example.sigma), example.probes);
}

ScoreMatchingObjective ScoreMatchingObjective::held_out() const {
  ScoreMatchingDescription description = description_;
  description.label_dropout = 0;
  return {score_, description};
}

ScoreMatching::ScoreMatching(const ScoreMatchingDescription& description, Generator& rng)
    : NetworkModel(description, rng), score_(std::make_shared<NetworkScore>(network_, description)) {
  objective();  // throws for invalid options
}

ScoreMatchingDescription ScoreMatching::read_description(const nn::Metadata& metadata) {
  return read_network_description<ScoreMatchingDescription>(metadata, kFamily);
}

nn::Metadata ScoreMatching::identity() const {
  return {{"run.network", nn::to_json(description_.network)},
          {"run.score", concat(description_.levels, " levels from ", exact(description_.most_noise), " to ",
                               exact(description_.least_noise))}};
}

// x_1, z, x, the score, and what the network saves for each point; a divergence differentiates that graph once more.
double ScoreMatching::numbers_of_step(Index batch) const {
  const auto numbers = static_cast<double>(dimension());
  const double derivatives = description_.matching == "exact" ? numbers : description_.matching == "sliced" ? 1 : 0;
  return static_cast<double>(batch) * (4 * numbers + (1 + derivatives) * nn::units_kept(description_.network));
}

std::unique_ptr<nn::TrainingLoop> ScoreMatching::trainer(datasets::BatchSource source,
                                                         const nn::TrainerOptions& options) {
  return std::make_unique<nn::Trainer<ScoreMatchingObjective>>(network_->named_parameters(), objective(),
                                                               std::move(source), options);
}

double ScoreMatching::held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const {
  return nn::mean_loss(objective().held_out(), source, samples, seed);
}

Tensor ScoreMatching::sample(Index n, const Indices& labels, Generator& rng) const {
  const Tensor x = Tensor::randn({n, dimension()}, rng);
  return generate(*scores(), x, labels, {.seed = static_cast<std::uint64_t>(rng.integers(1, Index{1} << 62).front())})
      .x;
}

std::optional<ScoreLadder> ScoreMatching::scores() const {
  ScoreLadder ladder{score_, {}, why_no_guidance(classes(), description_.label_dropout)};
  for (Index level = 0; level < description_.levels; ++level) {
    const double t = time_of_level(description_, level);
    ladder.levels.push_back({t, 1, sigma_at(description_, t)});
  }
  return ladder;
}

std::string ScoreMatching::no_density() const {
  return "Langevin dynamics has no density; the family diffusion learns the same scores, and has one";
}

Tensor ScoreMatching::log_density(const Tensor&, const Indices&) const { fail("log density: ", no_density()); }

}  // namespace rill::flow
