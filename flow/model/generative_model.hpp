// What turns a source into data: the contract that every family of models keeps.
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
#include "flow/model/dynamics.hpp"
#include "nn/checkpoint.hpp"
#include "nn/image_shape.hpp"
#include "nn/module.hpp"
#include "nn/trainer.hpp"

namespace rill::flow {

/// How far a model knows its own density.
enum class DensityKind {
  kNone,
  kBound,  ///< what log_density() gives is at most ln p
  kExact,  ///< up to a solver's tolerance, where there is a solver
};

/// A model whose parameters are trained, and which is then asked for samples and, by what it can do, for more. Families
/// differ in what they can be asked: programs look at dynamics() and density_kind(), never at the family.
class GenerativeModel {
 public:
  virtual ~GenerativeModel() = default;

  /// The name in families() (flow/model/families.hpp), such as "flow-matching".
  virtual std::string family() const = 0;
  /// Numbers in a point.
  virtual Index dimension() const = 0;
  /// Number of labels that it can be told; 0 for an unconditional model.
  virtual Index classes() const = 0;
  /// What a point is, for models of images.
  virtual std::optional<nn::ImageShape> image_shape() const { return std::nullopt; }
  /// Everything that is trained.
  virtual nn::Module& module() = 0;
  virtual const nn::Module& module() const = 0;

  /// What a file says of it: the family's make() turns these entries back into a model of the same shape.
  virtual nn::Metadata metadata() const = 0;
  /// What makes its training this one and no other, under keys that begin with "run.": a state of a run with other
  /// entries is refused.
  virtual nn::Metadata identity() const = 0;
  /// A line for people on the network: "mlp 64-64-64, silu, plain time".
  virtual std::string network_text() const = 0;
  /// What it starts from; nothing for noise.
  virtual std::optional<datasets::DataDescription> source() const { return std::nullopt; }
  /// A line on how it is trained: "cond-ot path, independent coupling, uniform times".
  virtual std::string training_text() const = 0;

  /// Numbers that a training step with so large a batch holds at once, at least.
  virtual double numbers_of_step(Index batch) const = 0;
  /// One step after another towards its objective on these batches. The model must outlive it.
  virtual std::unique_ptr<nn::TrainingLoop> trainer(datasets::BatchSource source,
                                                    const nn::TrainerOptions& options) = 0;
  /// The objective on `samples` points of the source as nn::mean_loss() takes it, without what only training needs:
  /// labels are all there, times uniform.
  virtual double held_out_loss(const datasets::BatchSource& source, Index samples, std::uint64_t seed) const = 0;

  /// n samples, [n, dimension()], by the family's own way with its defaults.   labels: [n], or empty for no class
  virtual Tensor sample(Index n, const Indices& labels, Generator& rng) const = 0;
  /// The flow from source to data, for families that have one.
  virtual std::optional<Dynamics> dynamics() const { return std::nullopt; }
  virtual DensityKind density_kind() const = 0;
  /// Why there is no density, where density_kind() is kNone; empty elsewhere.
  virtual std::string no_density() const { return "models of this family have none"; }
  /// ln p(x) in nats, or a bound of it, [N, dimension()] -> [N].   labels: [N], or empty for no class
  /// Throws std::invalid_argument where density_kind() is kNone.
  virtual Tensor log_density(const Tensor& x, const Indices& labels) const = 0;
};

}  // namespace rill::flow
