// Examples for the regression of flow matching: what a training step is made of, up to the network.
#pragma once

#include <functional>

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
  SourceSampler source;      ///< standard normal noise when it is empty
  double label_dropout = 0;  ///< the probability with which a label is replaced by ...
  Index no_class = 0;        ///< ... this one, which stands for "no class" (nn/time_network.hpp)
};

/// Points to evaluate a network at, with the velocity that it should have there on average.
struct Example {
  PathSample sample;
  Indices labels;
};

/// Draws examples: data, source points and their pairing unless the data have source points of their own, times, the
/// path and dropped labels, in this order, all from one generator.
class ExampleMaker {
 public:
  /// Throws std::invalid_argument for options that make no sense.
  explicit ExampleMaker(const ExampleOptions& options);

  const AffinePath& path() const& { return path_; }
  const AffinePath& path() const&& = delete;
  const ExampleOptions& options() const& { return options_; }
  const ExampleOptions& options() const&& = delete;

  /// What a batch of data becomes; the data were drawn from the same generator. Safe to call from several threads.
  Example make(const datasets::Batch& batch, Generator& rng) const;

 private:
  ExampleOptions options_;
  AffinePath path_;
};

/// Each label by itself replaced by `no_class` with the given probability, so that one network learns the conditional
/// and the unconditional velocity (Ho and Salimans 2022, algorithm 1).
/// Throws std::invalid_argument unless 0 <= probability <= 1.
Indices drop_labels(const Indices& labels, double probability, Index no_class, Generator& rng);

}  // namespace rill::flow
