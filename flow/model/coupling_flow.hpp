// Coupling flows: an invertible network with an exact density and exact samples, without an ODE.
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
#include "flow/bijection/bijection.hpp"
#include "flow/bijection/coupling.hpp"
#include "flow/model/data_shape.hpp"
#include "flow/model/generative_model.hpp"
#include "nn/activation.hpp"

namespace rill::flow {

/// The architecture of a coupling flow.
struct CouplingFlowDescription {
  DataShape shape = {};
  Index layers = 8;  ///< couplings; for images, of each level
  CouplingLayerOptions coupling = {};
  Index levels = 2;      ///< for images: each halves height and width
  bool act_norm = true;  ///< normalize activations before each coupling

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("shape", self.shape, {});
    visit("transform", self.coupling.transform,
          {.unit = "NAME",
           .help = "what a coupling applies",
           .names = coupling_transform_names,
           .summary = "{} couplings"});
    visit("layers", self.layers,
          {.unit = "COUNT", .help = "couplings; for images, of each level", .summary = ", {} layers"});
    visit("bins", self.coupling.bins,
          {.unit = "COUNT", .help = "bins of a spline", .only = {"transform", self.coupling.transform, {"spline"}}});
    visit("bound", self.coupling.bound,
          {.unit = "NUMBER",
           .help = "splines bend [-bound, bound]",
           .only = {"transform", self.coupling.transform, {"spline"}}});
    visit("hidden", self.coupling.hidden,
          {.unit = "SIZES", .help = "hidden layers of a coupling's perceptron", .summary = ", {}", .data = "points"});
    visit("channels", self.coupling.channels,
          {.unit = "COUNT", .help = "channels of a coupling's convolutions", .data = "images"});
    visit("activation", self.coupling.activation, {.unit = "NAME", .names = nn::activation_names, .summary = ", {}"});
    visit("levels", self.levels,
          {.unit = "COUNT", .help = "scales, each of half the height and width", .data = "images"});
    visit("act_norm", self.act_norm, {.help = "normalize activations before each coupling; --act-norm=false for not"});
  }
  void set_shape(const DataShape& of_data) { shape = of_data; }
};

/// Points, without bounds between the levels of pixels, and their labels.
struct CouplingFlowExample {
  Tensor x;
  Indices labels;
};

/// An Objective (nn/trainer.hpp): the mean of -ln p in nats. Pixels get noise that makes them continuous, which bounds
/// the likelihood of their levels (flow/metrics/dequantization.hpp).
class CouplingFlowObjective {
 public:
  using Example = CouplingFlowExample;

  CouplingFlowObjective(std::shared_ptr<const Bijection> bijection, const DataShape& shape)
      : bijection_(std::move(bijection)), shape_(shape) {}

  Example make_example(const datasets::Batch& batch, Generator& rng) const;
  Tensor loss(const Example& example) const;
  bool worth_making_ahead() const { return false; }

 private:
  std::shared_ptr<const Bijection> bijection_;
  DataShape shape_;
};

/// A chain of couplings that takes turns at what they keep, with activation normalization and, in more than two
/// dimensions, a random permutation between them. Images are squeezed and split at each level, with the logarithm of
/// their odds first. The source is standard normal. The label is a condition, one-hot; without labels, log_density() is
/// that of the mixture of all classes in equal parts, and sample() draws from it.
/// Parameters: those of the chain (flow/bijection/bijection.hpp). trainer() initializes activation normalization by the
/// batch of step 0, which a saved state then overrides.
class CouplingFlow final : public GenerativeModel {
 public:
  using Description = CouplingFlowDescription;
  static constexpr const char* kFamily = "coupling-flow";

  /// With weights drawn from `rng`. Throws std::invalid_argument, naming the field, for an invalid description.
  CouplingFlow(const CouplingFlowDescription& description, Generator& rng);
  /// The inverse of metadata(). Throws std::invalid_argument, naming the entry.
  static CouplingFlowDescription read_description(const nn::Metadata& metadata);

  const CouplingFlowDescription& description() const& { return description_; }
  const CouplingFlowDescription& description() const&& = delete;
  CouplingFlowObjective objective() const { return {bijection_, description_.shape}; }
  /// The chain from data to noise.
  std::shared_ptr<const Bijection> bijection() const { return bijection_; }

  std::string family() const override { return kFamily; }
  Index dimension() const override { return description_.shape.dimension; }
  Index classes() const override { return description_.shape.classes; }
  std::optional<nn::ImageShape> image_shape() const override { return description_.shape.image_shape(); }
  nn::Module& module() override { return *bijection_; }
  const nn::Module& module() const override { return *bijection_; }
  nn::Metadata metadata() const override;
  nn::Metadata identity() const override;
  std::string network_text() const override;
  std::string training_text() const override;
  double numbers_of_step(Index batch) const override;
  std::unique_ptr<nn::TrainingLoop> trainer(datasets::BatchSource source, const nn::TrainerOptions& options) override;
  double held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const override;
  Tensor sample(Index n, const Indices& labels, Generator& rng) const override;
  Index noise_dimension() const override { return dimension(); }
  Tensor from_noise(const Tensor& noise, const Indices& labels) const override;
  DensityKind density_kind() const override { return DensityKind::kExact; }
  Tensor log_density(const Tensor& x, const Indices& labels) const override;

 private:
  CouplingFlowDescription description_;
  std::shared_ptr<Bijection> bijection_;
};

}  // namespace rill::flow
