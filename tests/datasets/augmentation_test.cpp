// Mirrored and shifted images.
#include "datasets/augmentation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <stdexcept>
#include <vector>

#include "autodiff/ops.hpp"

namespace rill::datasets {
namespace {

// 0 1 2
// 3 4 5
const std::vector<Real> kImage = {Real(0), Real(0.1), Real(0.2), Real(0.3), Real(0.4), Real(0.5)};

Tensor copies(Index n) {
  std::vector<Real> pixels;
  for (Index i = 0; i < n; ++i) pixels.insert(pixels.end(), kImage.begin(), kImage.end());
  return Tensor::from(pixels, {n, 6});
}

std::map<std::vector<Real>, int> counted(const Tensor& x) {
  std::map<std::vector<Real>, int> counts;
  for (Index i = 0; i < x.dim(0); ++i) ++counts[slice(x, 0, i, i + 1).to_vector()];
  return counts;
}

TEST(Augmentation, MirrorsHalfOfTheImages) {
  Generator rng(1);
  const Index n = 2000;
  const Tensor x = copies(n);
  const auto counts = counted(augment(x, 2, 3, {.flip = true}, rng));
  const std::vector<Real> mirrored = {kImage[2], kImage[1], kImage[0], kImage[5], kImage[4], kImage[3]};
  ASSERT_EQ(counts.size(), 2u);
  EXPECT_NEAR(counts.at(mirrored), n / 2, 4 * std::sqrt(n / 4));  // four deviations
  EXPECT_EQ(counts.at(kImage), n - counts.at(mirrored));
  EXPECT_EQ(x.to_vector(), copies(n).to_vector()) << "the images themselves stay as they are";
}

TEST(Augmentation, ShiftsByEveryDistanceEquallyOften) {
  Generator rng(2);
  const Index n = 9000;
  const auto counts = counted(augment(copies(n), 2, 3, {.shift = 1}, rng));
  ASSERT_EQ(counts.size(), 9u);
  for (const auto& [image, count] : counts)
    EXPECT_NEAR(count, n / 9, 4 * std::sqrt(n / 9)) << testing::PrintToString(image);
  const std::vector<Real> down_right = {-1, -1, -1, -1, kImage[0], kImage[1]};
  const std::vector<Real> left = {kImage[1], kImage[2], -1, kImage[4], kImage[5], -1};
  const std::vector<Real> up = {kImage[3], kImage[4], kImage[5], -1, -1, -1};
  for (const auto& image : {kImage, down_right, left, up}) EXPECT_TRUE(counts.contains(image));
}

TEST(Augmentation, WithoutAnyDrawsNothing) {
  Generator rng(3), fresh(3);
  EXPECT_EQ(augment(copies(5), 2, 3, {}, rng).to_vector(), copies(5).to_vector());
  EXPECT_EQ(rng.integers(1, 1000), fresh.integers(1, 1000));
}

TEST(Augmentation, MisuseIsExplained) {
  Generator rng(4);
  EXPECT_THROW(augment(copies(2), 3, 3, {}, rng), std::invalid_argument);
  EXPECT_THROW(augment(copies(2), 2, 3, {.shift = 2}, rng), std::invalid_argument);
  EXPECT_THROW(augment(copies(2), 2, 3, {.shift = -1}, rng), std::invalid_argument);
}

}  // namespace
}  // namespace rill::datasets
