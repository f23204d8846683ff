// Flow matching: a network learns the velocity that moves the source to the data.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "autodiff/description.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "datasets/data.hpp"
#include "flow/model/data_shape.hpp"
#include "flow/model/network_model.hpp"
#include "flow/path/example.hpp"
#include "flow/path/path.hpp"
#include "flow/path/time_sampling.hpp"
#include "flow/transport/coupling.hpp"
#include "nn/time_network.hpp"
#include "nn/time_network_description.hpp"

namespace rill::flow {

/// The architecture of a flow and its training.
struct FlowMatchingDescription {
  nn::TimeNetworkDescription network = {};
  PathDescription path = {};
  CouplingDescription coupling = {};
  TimeSampling times = {};
  double label_dropout = 0;  ///< the probability of dropping a label in training, for guidance
  bool score = false;        ///< whether a second network learns a score; only on the path schroedinger-bridge
  std::optional<datasets::DataDescription> source = {};  ///< a density; by default standard normal noise

  /// The settings of the training: all but the network and the source.
  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    PathDescription::visit_fields(self.path, visit);
    CouplingDescription::visit_fields(self.coupling, visit);
    TimeSampling::visit_fields(self.times, visit);
    visit("label_dropout", self.label_dropout, label_dropout_setting());
    visit("score", self.score,
          {.help = "also learn a score, for sampling with --sde",
           .only = {"path", self.path.name, {"schroedinger-bridge"}}});
  }
  void set_shape(const DataShape& shape) { network.set_shape(shape.dimension, shape.classes, shape.image); }
};

/// The regression of flow matching: an Objective (nn/trainer.hpp). The loss is conditional_flow_matching_loss(), plus
/// bridge_score_loss() if there is a second network, as [SF]2M trains the two on a Schroedinger bridge
/// (Tong et al., "Simulation-Free Schroedinger Bridges via Score and Flow Matching", 2024, algorithm 1).
class FlowMatchingObjective {
 public:
  using Example = flow::Example;

  /// `score` may be null. Throws std::invalid_argument for invalid options, and for a score on a path other than a
  /// bridge.
  FlowMatchingObjective(std::shared_ptr<const nn::TimeNetwork> velocity, std::shared_ptr<const nn::TimeNetwork> score,
                        const ExampleOptions& examples);

  Example make_example(const datasets::Batch& batch, Generator& rng) const { return examples_.make(batch, rng); }
  Tensor loss(const Example& example) const;
  bool worth_making_ahead() const { return examples_.options().coupling.name != "independent"; }

  /// The same without the options that only training uses: times are uniform, and no label is dropped.
  FlowMatchingObjective held_out() const;

 private:
  std::shared_ptr<const nn::TimeNetwork> velocity_, score_;
  ExampleMaker examples_;
};

/// Parameters: those of the network (nn/time_networks.hpp); with a score, those of the two under "velocity." and
/// "score.".
class FlowMatching final : public NetworkModel<FlowMatchingDescription> {
 public:
  static constexpr const char* kFamily = "flow-matching";

  /// With weights drawn from `rng`. Throws std::invalid_argument, naming the field, for an invalid description;
  /// FileError for a source that is a file.
  FlowMatching(const FlowMatchingDescription& description, Generator& rng);
  /// Shares the networks of another flow, to train them in a different way.
  FlowMatching(const FlowMatching& other, const FlowMatchingDescription& description);

  /// The inverse of metadata(). Missing settings have their defaults: a file written by nn::save_network() is a flow on
  /// the path cond-ot from normal noise. Throws std::invalid_argument, naming the entry.
  static FlowMatchingDescription read_description(const nn::Metadata& metadata);

  std::shared_ptr<const nn::TimeNetwork> velocity_network() const { return network_; }
  FlowMatchingObjective objective() const;

  std::string family() const override { return kFamily; }
  nn::Module& module() override { return *module_; }
  const nn::Module& module() const override { return *module_; }
  nn::Metadata metadata() const override;
  nn::Metadata identity() const override;
  std::optional<datasets::DataDescription> source() const override { return description_.source; }
  double numbers_of_step(Index batch) const override;
  std::unique_ptr<nn::TrainingLoop> trainer(datasets::BatchSource source, const nn::TrainerOptions& options) override;
  double held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const override;
  Tensor sample(Index n, const Indices& labels, Generator& rng) const override;
  std::optional<Dynamics> dynamics() const override;
  DensityKind density_kind() const override;
  std::string no_density() const override;
  Tensor log_density(const Tensor& x, const Indices& labels) const override;

 private:
  std::shared_ptr<nn::TimeNetwork> score_;  // null if none is learned
  std::shared_ptr<nn::Module> module_;      // both networks
  std::shared_ptr<const AffinePath> path_;
  std::shared_ptr<const datasets::Data> source_;  // null for noise
};

}  // namespace rill::flow
