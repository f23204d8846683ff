// Latent flows: flow matching in the latent space of a trained autoencoder.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "autodiff/description.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "flow/model/data_shape.hpp"
#include "flow/model/generative_model.hpp"
#include "flow/model/vae.hpp"
#include "flow/path/example.hpp"
#include "flow/path/path.hpp"
#include "flow/path/time_sampling.hpp"
#include "flow/transport/coupling.hpp"
#include "nn/time_network.hpp"
#include "nn/time_network_description.hpp"

namespace rill::flow {

/// The architecture of a latent flow and its training.
struct LatentFlowDescription {
  VaeDescription autoencoder = {};
  nn::TimeNetworkDescription network = {};  ///< of a point in the latent space
  PathDescription path = {};
  CouplingDescription coupling = {};
  TimeSampling times = {};
  double label_dropout = 0;

  /// The settings of the training: all but the autoencoder and the network.
  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    PathDescription::visit_fields(self.path, visit);
    CouplingDescription::visit_fields(self.coupling, visit);
    TimeSampling::visit_fields(self.times, visit);
    visit("label_dropout", self.label_dropout, label_dropout_setting());
  }
  /// Throws std::invalid_argument for data other than the autoencoder's.
  void set_shape(const DataShape& shape);
};

class LatentFlow;

/// The regression of flow matching on standardized latents of the data, drawn from the encoder: an Objective
/// (nn/trainer.hpp).
class LatentFlowObjective {
 public:
  using Example = flow::Example;

  /// Throws std::invalid_argument for invalid options.
  LatentFlowObjective(const LatentFlow& model, const ExampleOptions& examples) : model_(&model), examples_(examples) {}

  Example make_example(const datasets::Batch& batch, Generator& rng) const;
  Tensor loss(const Example& example) const;
  bool worth_making_ahead() const { return examples_.options().coupling.name != "independent"; }

 private:
  const LatentFlow* model_;
  ExampleMaker examples_;
};

/// An autoencoder's prior is fixed, and what its encoder makes of the data only comes near it: samples of the prior in
/// between decode to nothing in particular. This model keeps encoder and decoder as they are, and learns the flow from
/// noise to the encoder's latents (Vahdat et al., "Score-based Generative Modeling in Latent Space", 2021; Rombach et
/// al., "High-Resolution Image Synthesis with Latent Diffusion Models", 2022; with flow matching: Dao et al., "Flow
/// Matching in Latent Space", 2023). Latents are standardized by their mean and deviation over the first batches.
/// Parameters: the autoencoder's under "autoencoder.", which do not change; "latents.mean" and "latents.deviation", set
/// once by trainer(); and the network's under "velocity.".
class LatentFlow final : public GenerativeModel {
 public:
  using Description = LatentFlowDescription;
  static constexpr const char* kFamily = "latent-flow";

  /// With weights drawn from `rng`, to be loaded. Throws std::invalid_argument, naming the field, for an invalid
  /// description.
  LatentFlow(const LatentFlowDescription& description, Generator& rng);
  /// The inverse of metadata(). Throws std::invalid_argument, naming the entry.
  static LatentFlowDescription read_description(const nn::Metadata& metadata);
  /// With that autoencoder, whose description it must be; otherwise as above.
  LatentFlow(const LatentFlowDescription& description, std::shared_ptr<Vae> autoencoder, Generator& rng);

  const LatentFlowDescription& description() const& { return description_; }
  const LatentFlowDescription& description() const&& = delete;
  std::shared_ptr<Vae> autoencoder() const { return autoencoder_; }
  std::shared_ptr<const nn::TimeNetwork> velocity_network() const { return velocity_; }
  /// A draw from the encoder, standardized.   x: [N, D] -> [N, L]
  Tensor encode(const Tensor& x, const Indices& labels, Generator& rng) const;

  std::string family() const override { return kFamily; }
  Index dimension() const override { return autoencoder_->dimension(); }
  Index classes() const override { return autoencoder_->classes(); }
  std::optional<nn::ImageShape> image_shape() const override { return autoencoder_->image_shape(); }
  nn::Module& module() override { return *module_; }
  const nn::Module& module() const override { return *module_; }
  nn::Metadata metadata() const override;
  nn::Metadata identity() const override;
  std::string network_text() const override;
  std::string training_text() const override;
  double numbers_of_step(Index batch) const override;
  std::unique_ptr<nn::TrainingLoop> trainer(datasets::BatchSource source, const nn::TrainerOptions& options) override;
  double held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const override;
  /// By 50 Euler steps in the latent space, and the decoder.
  Tensor sample(Index n, const Indices& labels, Generator& rng) const override;
  /// In the latent space.
  std::optional<Dynamics> dynamics() const override;
  bool dynamics_are_latent() const override { return true; }
  Tensor from_dynamics(const Tensor& z, const Indices& labels, std::uint64_t seed) const override;
  bool reconstructs() const override { return true; }
  Tensor reconstruct(const Tensor& x, const Indices& labels) const override {
    return autoencoder_->reconstruct(x, labels);
  }
  DensityKind density_kind() const override { return autoencoder_->density_kind(); }
  std::string no_density() const override { return autoencoder_->no_density(); }
  /// The importance-weighted bound with the flow's density as the prior: ln 1/K sum_k p(x | z_k) p(z_k) / q(z_k | x),
  /// K = kImportanceSamples.
  Tensor log_density(const Tensor& x, const Indices& labels) const override;
  static constexpr Index kImportanceSamples = 8;

 private:
  LatentFlowObjective objective(bool held_out) const;

  LatentFlowDescription description_;
  std::shared_ptr<Vae> autoencoder_;
  std::shared_ptr<nn::TimeNetwork> velocity_;
  Tensor mean_, deviation_;  // of latents, [L]
  std::shared_ptr<nn::Module> module_;
  std::shared_ptr<const AffinePath> path_;
};

}  // namespace rill::flow
