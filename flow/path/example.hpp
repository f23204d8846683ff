// Training examples of the flow-matching regression.
#pragma once

#include <functional>

#include "autodiff/description.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"
#include "datasets/batch.hpp"
#include "flow/path/path.hpp"
#include "flow/path/time_sampling.hpp"
#include "flow/transport/coupling.hpp"

namespace rill::flow {

/// Points x_0 of the source distribution, of the given shape [N, D]. May be called by several threads at once.
using SourceSampler = std::function<Tensor(const Shape& shape, Generator& rng)>;

/// How a batch of data becomes a batch of examples.
struct ExampleOptions {
  PathDescription path;
  TimeSampling times;
  CouplingDescription coupling;
  SourceSampler source;      ///< standard normal noise if empty
  double label_dropout = 0;  ///< the probability that a label is replaced by ...
  Index no_class = 0;        ///< ... this one, which means "no class" (nn/time_network.hpp)
};

/// Points at which to evaluate a network, with the target velocities.
struct Example {
  PathSample sample;
  Indices labels;
};

/// Draws examples, in this order and from one generator: source points and their pairing (unless the batch has its own
/// source points), times, the path's noise and dropped labels.
class ExampleMaker {
 public:
  /// Throws std::invalid_argument for invalid options.
  explicit ExampleMaker(const ExampleOptions& options);

  const AffinePath& path() const& { return path_; }
  const AffinePath& path() const&& = delete;
  const ExampleOptions& options() const& { return options_; }
  const ExampleOptions& options() const&& = delete;

  /// Makes an example of a batch that was drawn from the same generator. Safe to call from several threads.
  Example make(const datasets::Batch& batch, Generator& rng) const;

 private:
  ExampleOptions options_;
  AffinePath path_;
};

/// How descriptions present their field label_dropout.
inline Setting label_dropout_setting() {
  return {.unit = "SHARE", .help = "images: probability of dropping a label in training, for guidance, such as 0.1"};
}

/// Throws std::invalid_argument unless 0 <= probability < 1, and for a probability above 0 of a model without classes.
void require_label_dropout(Index classes, double probability);

/// Replaces each label independently by `no_class` with the given probability, so that one network learns both the
/// conditional and the unconditional velocity (Ho and Salimans 2022, algorithm 1).
/// Throws std::invalid_argument unless 0 <= probability <= 1.
Indices drop_labels(const Indices& labels, double probability, Index no_class, Generator& rng);

}  // namespace rill::flow
