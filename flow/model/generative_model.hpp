// The interface of every family of generative models.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "datasets/data.hpp"
#include "flow/metrics/likelihood.hpp"
#include "flow/model/annealing.hpp"
#include "flow/model/dynamics.hpp"
#include "nn/checkpoint.hpp"
#include "nn/image_shape.hpp"
#include "nn/module.hpp"
#include "nn/trainer.hpp"

namespace rill::flow {

/// What a model knows of its own density.
enum class DensityKind {
  kNone,
  kBound,  ///< log_density() returns a lower bound of ln p
  kOde,    ///< exact up to the tolerance of an ODE solver
  kExact,  ///< in closed form
};

/// A model that can be trained and sampled, with further capabilities that depend on its family. Programs look at
/// dynamics() and density_kind(), never at the family.
class GenerativeModel {
 public:
  virtual ~GenerativeModel() = default;

  /// The name in families() (flow/model/families.hpp), such as "flow-matching".
  virtual std::string family() const = 0;
  /// The dimension of a point.
  virtual Index dimension() const = 0;
  /// The number of classes; 0 for an unconditional model.
  virtual Index classes() const = 0;
  /// The shape of a point, for models of images.
  virtual std::optional<nn::ImageShape> image_shape() const { return std::nullopt; }
  /// All trained parameters.
  virtual nn::Module& module() = 0;
  virtual const nn::Module& module() const = 0;

  /// Its description in a file: from these entries, the family's make() makes a model of the same architecture.
  virtual nn::Metadata metadata() const = 0;
  /// What identifies its training, under keys that begin with "run.": the state of a run with other entries is
  /// rejected.
  virtual nn::Metadata identity() const = 0;
  /// A line that describes the network: "mlp 64-64-64, silu, plain time".
  virtual std::string network_text() const = 0;
  /// The source distribution; nullopt for noise.
  virtual std::optional<datasets::DataDescription> source() const { return std::nullopt; }
  /// A line that describes its training: "cond-ot path, independent coupling, uniform times".
  virtual std::string training_text() const = 0;

  /// A lower bound on the numbers in memory during a training step with this batch size.
  virtual double numbers_of_step(Index batch) const = 0;
  /// Trains the model's objective on these batches. The model must outlive it.
  virtual std::unique_ptr<nn::TrainingLoop> trainer(datasets::BatchSource source,
                                                    const nn::TrainerOptions& options) = 0;
  /// The mean of the objective over `samples` points of the source, as by nn::mean_loss(), without the options that
  /// only training uses: no label is dropped, and times are uniform.
  virtual double held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const = 0;

  /// n samples, [n, dimension()], by the family's default method.   labels: [n], or empty for no class
  virtual Tensor sample(Index n, const Indices& labels, Generator& rng) const = 0;
  /// The flow from source to data, for families that have one.
  virtual std::optional<Dynamics> dynamics() const { return std::nullopt; }
  /// Whether its points are not data but latents, which from_dynamics() decodes.
  virtual bool dynamics_are_latent() const { return false; }
  /// Data [N, dimension()] from points where the flow ends, of these labels or none; a decoder's noise is the seed's.
  virtual Tensor from_dynamics(const Tensor& x, const Indices& /*labels*/, std::uint64_t /*seed*/) const { return x; }
  /// The numbers of standard normal noise that from_noise() takes; 0 for models that draw otherwise.
  virtual Index noise_dimension() const { return 0; }
  /// Data [N, dimension()] from noise [N, noise_dimension()] in one step, smoothly, for models without a flow. Labels
  /// are one for each point, or none without classes. Throws std::invalid_argument for models that draw otherwise.
  virtual Tensor from_noise(const Tensor& noise, const Indices& labels) const;
  /// Whether it encodes data.
  virtual bool reconstructs() const { return false; }
  /// Data encoded and decoded again.   x: [N, dimension()]. Throws std::invalid_argument unless reconstructs().
  virtual Tensor reconstruct(const Tensor& x, const Indices& labels) const;
  /// The scores at levels of noise, for families that learn these but no flow.
  virtual std::optional<ScoreLadder> scores() const { return std::nullopt; }
  virtual DensityKind density_kind() const = 0;
  /// Why there is no density, if density_kind() is kNone; empty otherwise.
  virtual std::string no_density() const {
    return density_kind() == DensityKind::kNone ? "models of this family have none" : "";
  }
  /// ln p(x) in nats, or a bound on it, [N, dimension()] -> [N].   labels: [N], or empty for no class
  /// Throws std::invalid_argument if density_kind() is kNone.
  virtual Tensor log_density(const Tensor& x, const Indices& labels) const = 0;
};

}  // namespace rill::flow
