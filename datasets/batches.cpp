#include "datasets/batches.hpp"

#include <algorithm>
#include <iterator>

#include "autodiff/error.hpp"
#include "autodiff/random_streams.hpp"

namespace rill::datasets {

ShuffledBatches::ShuffledBatches(Index items, Index batch, std::uint64_t seed)
    : items_(items), batch_(batch), seed_(seed) {
  require(items >= 1, "batches: ", items, " items, expected at least 1");
  require(1 <= batch && batch <= kMaxElements, "batches: a batch of ", batch, ", expected 1 to 2^48");
}

Indices ShuffledBatches::at(Index step) {
  require(step >= 0, "batches: step ", step, ", expected at least 0");
  Index epoch = this->epoch(step), offset = first(step) % items_, missing = batch_;
  std::vector<Index> result;
  result.reserve(static_cast<std::size_t>(batch_));
  while (missing > 0) {
    const Index count = std::min(missing, items_ - offset);
    std::copy_n(order(epoch).begin() + offset, count, std::back_inserter(result));
    missing -= count;
    offset = 0;
    ++epoch;
  }
  return result;
}

const std::vector<Index>& ShuffledBatches::order(Index epoch) {
  if (epoch != epoch_) {
    order_ = Generator(seed_, streams::kShuffles + static_cast<std::uint64_t>(epoch)).permutation(items_);
    epoch_ = epoch;
  }
  return order_;
}

}  // namespace rill::datasets
