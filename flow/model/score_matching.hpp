// Score matching: a network learns the score of data with noise, at one level or several, and Langevin dynamics samples
// by it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "flow/model/annealing.hpp"
#include "flow/model/data_shape.hpp"
#include "flow/model/network_model.hpp"
#include "flow/path/example.hpp"
#include "nn/time_network.hpp"
#include "nn/time_network_description.hpp"

namespace rill::flow {

/// The ways of score matching: denoising, exact, sliced.
std::vector<std::string> score_matching_names();

/// The architecture of a model of scores and its training. A point with noise is x = x_1 + sigma z.
struct ScoreMatchingDescription {
  nn::TimeNetworkDescription network = {};
  Index levels = 10;       ///< of noise, with equal ratios from most to least; 1 for the least alone
  double most_noise = 20;  ///< sigma of the first level
  double least_noise = 0.05;
  std::string matching = "denoising";
  double label_dropout = 0;

  /// The settings of the training: all but the network.
  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("noise_levels", self.levels,
          {.unit = "COUNT", .help = "levels of noise; 1 for the least alone", .summary = "noise levels {}"});
    visit("most_noise", self.most_noise,
          {.unit = "SIGMA",
           .help = "noise of the first level: at least the largest distance between data points",
           .summary = " from {}",
           .only = {.needs = "--noise-levels above 1", .met = self.levels > 1}});
    visit("least_noise", self.least_noise,
          {.unit = "SIGMA", .help = "noise of the last level: too small to see", .summary = " to {}"});
    visit("matching", self.matching,
          {.unit = "NAME",
           .help = "how the score is learned",
           .names = score_matching_names,
           .summary = ", {} score matching"});
    visit("label_dropout", self.label_dropout, label_dropout_setting());
  }
  void set_shape(const DataShape& shape) { network.set_shape(shape.dimension, shape.classes, shape.image); }
};

/// Points with noise, and what made them.   x, z: [N, D], t, sigma: [N], probes: [N, D] each
struct ScoreMatchingExample {
  Tensor x, z, t, sigma;
  std::vector<Tensor> probes;
  Indices labels;
};

/// An Objective (nn/trainer.hpp): denoising_score_matching_loss(), or implicit_score_matching_loss() with weights
/// sigma^2, at levels drawn uniformly.
class ScoreMatchingObjective {
 public:
  using Example = ScoreMatchingExample;

  /// Throws std::invalid_argument for invalid settings.
  ScoreMatchingObjective(std::shared_ptr<const VelocityField> score, const ScoreMatchingDescription& description);

  Example make_example(const datasets::Batch& batch, Generator& rng) const;
  Tensor loss(const Example& example) const;
  bool worth_making_ahead() const { return false; }

  /// The same without dropped labels.
  ScoreMatchingObjective held_out() const;

 private:
  std::shared_ptr<const VelocityField> score_;
  ScoreMatchingDescription description_;
};

/// Level i of L has the time i / (L - 1), and sigma = most (least / most)^t. Of the network f, the score is
/// f(x / sqrt(1 + sigma^2), t) / sigma, whose target -z has unit size at every level. A model of scores samples by
/// Langevin dynamics (flow/model/annealing.hpp), which has no density and no flow.
/// Parameters: those of the network (nn/time_networks.hpp).
class ScoreMatching final : public NetworkModel<ScoreMatchingDescription> {
 public:
  static constexpr const char* kFamily = "score";

  /// With weights drawn from `rng`. Throws std::invalid_argument, naming the field, for an invalid description.
  ScoreMatching(const ScoreMatchingDescription& description, Generator& rng);
  /// The inverse of metadata(). Throws std::invalid_argument, naming the entry.
  static ScoreMatchingDescription read_description(const nn::Metadata& metadata);

  ScoreMatchingObjective objective() const { return {score_, description_}; }

  std::string family() const override { return kFamily; }
  nn::Metadata identity() const override;
  double numbers_of_step(Index batch) const override;
  std::unique_ptr<nn::TrainingLoop> trainer(datasets::BatchSource source, const nn::TrainerOptions& options) override;
  double held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const override;
  /// By LangevinSteps with their defaults.
  Tensor sample(Index n, const Indices& labels, Generator& rng) const override;
  std::optional<ScoreLadder> scores() const override;
  DensityKind density_kind() const override { return DensityKind::kNone; }
  std::string no_density() const override;
  /// Throws std::invalid_argument.
  Tensor log_density(const Tensor& x, const Indices& labels) const override;

 private:
  std::shared_ptr<const VelocityField> score_;
};

}  // namespace rill::flow
