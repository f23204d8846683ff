#include "datasets/batches.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

namespace rill::datasets {
namespace {

std::vector<Index> to_vector(const Indices& indices) { return {indices.begin(), indices.end()}; }

/// The items of the batches [begin, end) one after the other.
std::vector<Index> sequence(ShuffledBatches& batches, Index begin, Index end) {
  std::vector<Index> result;
  for (Index step = begin; step < end; ++step) {
    for (const Index item : batches.at(step)) result.push_back(item);
  }
  return result;
}

TEST(Batches, EveryEpochHoldsEveryItemOnce) {
  // 7 batches of 10 are 10 epochs of 7, and 10 batches of 3 are 3 epochs of 10.
  for (const auto& [items, batch] : {std::pair<Index, Index>{7, 10}, {10, 3}, {12, 4}, {1, 5}, {5, 1}}) {
    ShuffledBatches batches(items, batch, 1);
    const std::vector<Index> all = sequence(batches, 0, items);
    ASSERT_EQ(static_cast<Index>(all.size()), items * batch);
    for (Index epoch = 0; epoch < batch; ++epoch) {
      std::vector<Index> order(all.begin() + epoch * items, all.begin() + (epoch + 1) * items);
      std::sort(order.begin(), order.end());
      for (Index i = 0; i < items; ++i) ASSERT_EQ(order[static_cast<std::size_t>(i)], i);
    }
  }
}

TEST(Batches, DependOnTheSeedAndTheStepAlone) {
  ShuffledBatches in_order(100, 32, 5), jumping(100, 32, 5), other(100, 32, 6);
  const std::vector<Index> all = sequence(in_order, 0, 20);
  for (const Index step : {19, 3, 3, 0, 12, 4}) {
    const std::vector<Index> expected(all.begin() + step * 32, all.begin() + (step + 1) * 32);
    EXPECT_EQ(to_vector(jumping.at(step)), expected) << "step " << step;
  }
  EXPECT_NE(sequence(other, 0, 20), all);
}

TEST(Batches, ShuffleEveryEpochAnew) {
  ShuffledBatches batches(50, 50, 3);
  std::vector<Index> sorted(50);
  std::iota(sorted.begin(), sorted.end(), Index{0});
  EXPECT_NE(to_vector(batches.at(0)), sorted);
  EXPECT_NE(to_vector(batches.at(0)), to_vector(batches.at(1)));
}

TEST(Batches, CountEpochs) {
  const ShuffledBatches batches(10, 4, 1);
  EXPECT_EQ(batches.epoch(0), 0);
  EXPECT_EQ(batches.epoch(2), 0);  // positions 8 to 11: starts in epoch 0
  EXPECT_EQ(batches.epoch(3), 1);
  EXPECT_EQ(batches.epoch(25), 10);
}

TEST(Batches, RefuseNonsense) {
  EXPECT_THROW(ShuffledBatches(0, 4, 1), std::invalid_argument);
  EXPECT_THROW(ShuffledBatches(4, 0, 1), std::invalid_argument);
  ShuffledBatches batches(4, 2, 1);
  EXPECT_THROW(batches.at(-1), std::invalid_argument);
  // Positions that no Index holds.
  EXPECT_THROW(batches.at(Index{1} << 62), std::invalid_argument);
  EXPECT_THROW(batches.epoch(Index{1} << 62), std::invalid_argument);
  EXPECT_THROW(ShuffledBatches(4, Index{1} << 62, 1), std::invalid_argument);
}

}  // namespace
}  // namespace rill::datasets
