#include "autodiff/random_streams.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace rill::streams {
namespace {

// The first stream of each owner, in order, with how many there is a use for.
TEST(RandomStreams, NoneHasTwoOwners) {
  struct Range {
    std::uint64_t first, count;
  };
  constexpr std::uint64_t kMany = std::uint64_t{1} << 59;
  std::vector<Range> owners = {{kSteps, kMany},      {kSampleNoise, 1}, {kComparisonData, 15}, {kSlices, 1},
                               {kLikelihoodData, 1}, {kImageChoice, 1}, {kImageNoise, 1},      {kPairNoise, 1},
                               {kWeights, 1},        {kHeldOut, kMany}, {kBrownian, kMany},    {kShuffles, kMany},
                               {kDropout, kMany}};
  std::sort(owners.begin(), owners.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  for (std::size_t i = 0; i + 1 < owners.size(); ++i) {
    EXPECT_LE(owners[i].first + owners[i].count, owners[i + 1].first) << "number " << i << " from below";
  }
}

}  // namespace
}  // namespace rill::streams
