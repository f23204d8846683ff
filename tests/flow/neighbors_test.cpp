// Nearest neighbors against brute force; precision and recall of sets for which they are known.
#include "flow/metrics/neighbors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"

namespace rill::flow {
namespace {

double distance(const Tensor& x, Index i, const Tensor& y, Index j) {
  double sum = 0;
  for (Index d = 0; d < x.dim(1); ++d) {
    const double difference = static_cast<double>(x.data()[i * x.dim(1) + d] - y.data()[j * x.dim(1) + d]);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

// The share of the points that some point of the set has within its k-th neighbor's distance, by definition.
double share_within(const Tensor& points, const Tensor& set, Index k) {
  std::vector<double> radii;
  for (Index j = 0; j < set.dim(0); ++j) {
    std::vector<double> distances;
    for (Index i = 0; i < set.dim(0); ++i) {
      if (i != j) distances.push_back(distance(set, i, set, j));
    }
    std::sort(distances.begin(), distances.end());
    radii.push_back(distances[static_cast<std::size_t>(k - 1)]);
  }
  double count = 0;
  for (Index i = 0; i < points.dim(0); ++i) {
    bool within = false;
    for (Index j = 0; j < set.dim(0); ++j) {
      within |= distance(points, i, set, j) <= radii[static_cast<std::size_t>(j)];
    }
    count += within ? 1 : 0;
  }
  return count / static_cast<double>(points.dim(0));
}

TEST(Neighbors, NearestDistances) {
  Generator rng(1);
  for (const Index dimension : {3, 20}) {  // by differences, by a product
    const Tensor x = Tensor::randn({300, dimension}, rng) + 5, y = Tensor::randn({77, dimension}, rng) + 5;
    const Tensor nearest = nearest_distances(x, y);
    for (Index i = 0; i < 300; i += 13) {
      double least = 1e9;
      for (Index j = 0; j < 77; ++j) least = std::min(least, distance(x, i, y, j));
      EXPECT_NEAR(nearest.data()[i], least, 1e-3);
    }
  }
  EXPECT_EQ(nearest_distances(Tensor::zeros({0, 3}), Tensor::zeros({1, 3})).size(), 0);
}

TEST(Neighbors, PrecisionAndRecallByDefinition) {
  Generator rng(2);
  const Tensor data = Tensor::randn({120, 3}, rng), samples = Tensor::randn({90, 3}, rng) * 1.5 + 0.5;
  const PrecisionRecall found = precision_and_recall(data, samples, 3);
  EXPECT_DOUBLE_EQ(found.precision.value, share_within(samples, data, 3));
  EXPECT_DOUBLE_EQ(found.recall.value, share_within(data, samples, 3));
  EXPECT_GT(found.precision.value, 0.2);
  EXPECT_LT(found.precision.value, 0.95);
  EXPECT_NEAR(found.precision.standard_error, std::sqrt(found.precision.value * (1 - found.precision.value) / 90),
              1e-6);
}

TEST(Neighbors, PrecisionAndRecallTellQualityFromVariety) {
  Generator rng(3);
  const Tensor data = Tensor::randn({400, 2}, rng), same = Tensor::randn({400, 2}, rng);
  const PrecisionRecall equal = precision_and_recall(data, data);
  EXPECT_EQ(equal.precision.value, 1);
  EXPECT_EQ(equal.recall.value, 1);
  EXPECT_GT(precision_and_recall(data, same).precision.value, 0.85);
  EXPECT_GT(precision_and_recall(data, same).recall.value, 0.85);
  const PrecisionRecall narrow = precision_and_recall(data, same * 0.1);
  EXPECT_GT(narrow.precision.value, 0.8);  // most of them typical
  EXPECT_LT(narrow.recall.value, 0.2);     // and most of the data missed
  const PrecisionRecall apart = precision_and_recall(data, same + 100);
  EXPECT_EQ(apart.precision.value, 0);
  EXPECT_EQ(apart.recall.value, 0);
}

TEST(Neighbors, MisuseIsExplained) {
  EXPECT_THROW(nearest_distances(Tensor::zeros({2, 3}), Tensor::zeros({0, 3})), std::invalid_argument);
  EXPECT_THROW(nearest_distances(Tensor::zeros({2, 3}), Tensor::zeros({2, 2})), std::invalid_argument);
  EXPECT_THROW(precision_and_recall(Tensor::zeros({3, 2}), Tensor::zeros({9, 2}), 3), std::invalid_argument);
  EXPECT_THROW(precision_and_recall(Tensor::zeros({9, 2}), Tensor::zeros({9, 2}), 0), std::invalid_argument);
}

}  // namespace
}  // namespace rill::flow
