// Which items make up which batch.
#pragma once

#include <cstdint>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"

namespace rill::datasets {

/// Shuffled batches of the items 0 to items - 1, without end. Every epoch goes through all items in an order of its
/// own, and the epochs follow each other without a gap: a batch that reaches the end of one is filled from the
/// beginning of the next. So all batches have the same size, every item is seen equally often, nothing is dropped, and
/// a batch may be larger than the data. (Dropping the last, partial batch would skip items; a short one would give
/// its items more weight and its step other shapes.)
///
/// The order of epoch e depends on (seed, e) alone, by a stream of its own (autodiff/random_streams.hpp), and batch
/// number `step` on (seed, step) alone: to resume training it is enough to know the step.
class ShuffledBatches {
 public:
  /// Throws std::invalid_argument unless items >= 1 and batch >= 1.
  ShuffledBatches(Index items, Index batch, std::uint64_t seed);

  /// The items of batch number `step`, counted from 0: positions step * batch to (step + 1) * batch - 1 of all epochs
  /// one after the other. Asking in order costs one permutation per epoch. Throws std::invalid_argument below 0.
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
  Index epoch_ = -1;  // whose order is at hand
  std::vector<Index> order_;
};

}  // namespace rill::datasets
