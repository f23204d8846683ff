// The items of each batch.
#pragma once

#include <cstdint>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"

namespace rill::datasets {

/// An endless sequence of shuffled batches of the items 0 to items - 1. Every epoch goes through all items in a new
/// order, and a batch that reaches the end of an epoch is filled from the beginning of the next. So all batches have
/// the same size, every item is seen equally often, nothing is dropped, and a batch may be larger than the data.
/// (Dropping the last, partial batch would skip items; keeping it short would give its items more weight and its step
/// different shapes.)
///
/// The order of epoch e depends only on (seed, e), by a stream of its own (autodiff/random_streams.hpp), and batch
/// number `step` only on (seed, step): to resume training it is enough to know the step.
class ShuffledBatches {
 public:
  /// Throws std::invalid_argument unless items >= 1 and batch >= 1.
  ShuffledBatches(Index items, Index batch, std::uint64_t seed);

  /// The items of batch number `step`, counted from 0: positions step * batch to (step + 1) * batch - 1 of the
  /// concatenated epochs. Calls in order cost one permutation per epoch. Throws std::invalid_argument for step < 0.
  Indices at(Index step);

  Index items() const { return items_; }
  Index batch() const { return batch_; }
  /// The epoch in which batch number `step` starts: completed passes over the data.
  Index epoch(Index step) const { return first(step) / items_; }

 private:
  // The position of a step's first item in the sequence of all epochs.
  Index first(Index step) const { return checked_product("batches: step", {step, batch_}); }
  const std::vector<Index>& order(Index epoch);

  Index items_, batch_;
  std::uint64_t seed_;
  Index epoch_ = -1;  // the epoch whose order is cached
  std::vector<Index> order_;
};

}  // namespace rill::datasets
