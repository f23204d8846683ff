// Diffusion: a network learns to denoise, which gives the score, and with it ways back from noise to data.
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
#include "flow/loss/denoising.hpp"
#include "flow/model/data_shape.hpp"
#include "flow/model/network_model.hpp"
#include "flow/path/example.hpp"
#include "flow/path/forward_sde.hpp"
#include "flow/path/path.hpp"
#include "flow/path/time_sampling.hpp"
#include "nn/time_network.hpp"
#include "nn/time_network_description.hpp"

namespace rill::flow {

/// The architecture of a diffusion and its training.
struct DiffusionDescription {
  nn::TimeNetworkDescription network = {};
  ForwardSdeDescription forward = {};
  DenoisingDescription denoising = {};
  TimeSampling times = {};
  double label_dropout = 0;  ///< the probability of dropping a label in training, for guidance

  /// The settings of the training: all but the network.
  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    ForwardSdeDescription::visit_fields(self.forward, visit);
    DenoisingDescription::visit_fields(self.denoising, visit);
    TimeSampling::visit_fields(self.times, visit);
    visit("label_dropout", self.label_dropout, label_dropout_setting());
  }
  void set_shape(const DataShape& shape) { network.set_shape(shape.dimension, shape.classes, shape.image); }
};

/// The regression of denoising score matching: an Objective (nn/trainer.hpp), with the loss denoising_loss(). Its
/// minimizer gives the score of the noisy data at every time (Vincent, "A Connection between Score Matching and
/// Denoising Autoencoders", 2011; Ho et al., "Denoising Diffusion Probabilistic Models", 2020, algorithm 1).
class DiffusionObjective {
 public:
  using Example = DenoisingExample;

  /// Throws std::invalid_argument for invalid settings.
  DiffusionObjective(std::shared_ptr<const nn::TimeNetwork> network, const DiffusionDescription& description);

  Example make_example(const datasets::Batch& batch, Generator& rng) const;
  Tensor loss(const Example& example) const;
  bool worth_making_ahead() const { return false; }

  /// The same without the options that only training uses: times and weights are uniform, and no label is dropped.
  DiffusionObjective held_out() const;

 private:
  std::shared_ptr<const nn::TimeNetwork> network_;
  DiffusionDescription description_;
  std::shared_ptr<const Scheduler> scheduler_;
};

/// Its dynamics are the probability-flow ODE, which has the marginals of the forward SDE: every solver, guidance,
/// stochastic sampling and likelihood of flow matching work on it. Parameters: those of the network
/// (nn/time_networks.hpp).
class Diffusion final : public NetworkModel<DiffusionDescription> {
 public:
  static constexpr const char* kFamily = "diffusion";

  /// With weights drawn from `rng`. Throws std::invalid_argument, naming the field, for an invalid description.
  Diffusion(const DiffusionDescription& description, Generator& rng);
  /// The inverse of metadata(). Throws std::invalid_argument, naming the entry.
  static DiffusionDescription read_description(const nn::Metadata& metadata);

  std::shared_ptr<const nn::TimeNetwork> network() const { return network_; }
  DiffusionObjective objective() const { return {network_, description_}; }

  std::string family() const override { return kFamily; }
  nn::Metadata identity() const override;
  double numbers_of_step(Index batch) const override;
  std::unique_ptr<nn::TrainingLoop> trainer(datasets::BatchSource source, const nn::TrainerOptions& options) override;
  double held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const override;
  /// By 50 Euler steps of the probability-flow ODE.
  Tensor sample(Index n, const Indices& labels, Generator& rng) const override;
  std::optional<Dynamics> dynamics() const override;
  DensityKind density_kind() const override { return DensityKind::kOde; }
  Tensor log_density(const Tensor& x, const Indices& labels) const override;

 private:
  std::shared_ptr<const AffinePath> path_;
};

}  // namespace rill::flow
