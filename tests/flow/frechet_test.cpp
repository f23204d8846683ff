// The Frechet distance, on points whose means and covariances are known exactly.
#include "flow/metrics/frechet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"

namespace rill::flow {
namespace {

using testing::DoubleNear;
using testing::Pointwise;

// Moments are exact to the rounding of the points themselves.
constexpr double kRounding = sizeof(Real) == 4 ? 1e-5 : 1e-12;

// Four points around a center, two along each of two orthogonal directions, turned by an angle: their covariance is
// R diag(a^2, b^2) R^T times 2/3.
Tensor cross(double x, double y, double a, double b, double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  std::vector<Real> points;
  for (const double sign : {-1.0, 1.0}) {
    points.insert(points.end(), {static_cast<Real>(x + sign * a * c), static_cast<Real>(y + sign * a * s)});
    points.insert(points.end(), {static_cast<Real>(x - sign * b * s), static_cast<Real>(y + sign * b * c)});
  }
  return Tensor::from(points, {4, 2});
}

double distance(const Tensor& x, const Tensor& y) { return frechet_distance(moments_of(x), moments_of(y)); }

TEST(Frechet, MomentsOfAFewPoints) {
  const Moments moments = moments_of(Tensor::from({1, 0, 3, 2, 5, -2}, {3, 2}));
  EXPECT_THAT(moments.mean, Pointwise(DoubleNear(1e-14), {3.0, 0.0}));
  EXPECT_THAT(moments.covariance, Pointwise(DoubleNear(1e-14), {4.0, -2.0, -2.0, 4.0}));
}

TEST(Frechet, OfGaussiansWithCommonAxes) {
  // |m_a - m_b|^2 + (s_1 - r_1)^2 + (s_2 - r_2)^2 with s^2 = 2/3 a^2.
  const double expected = 1 + 4 + 2.0 / 3 * ((3 - 1) * (3 - 1) + (0.5 - 2) * (0.5 - 2));
  EXPECT_NEAR(distance(cross(0, 0, 3, 0.5, 0), cross(1, 2, 1, 2, 0)), expected, kRounding);
}

TEST(Frechet, OfGaussiansWithoutCommonAxes) {
  const Tensor x = cross(0, 0, 3, 0.5, 0.3), y = cross(0, 0, 1, 2, 1.1);
  const Moments a = moments_of(x), b = moments_of(y);
  // Of 2 x 2 matrices, tr (A B)^{1/2} = sqrt(tr A B + 2 sqrt(det A det B)).
  const auto& p = a.covariance;
  const auto& q = b.covariance;
  const double trace = p[0] * q[0] + p[1] * q[2] + p[2] * q[1] + p[3] * q[3];
  const double root = std::sqrt((p[0] * p[3] - p[1] * p[2]) * (q[0] * q[3] - q[1] * q[2]));
  const double expected = p[0] + p[3] + q[0] + q[3] - 2 * std::sqrt(trace + 2 * root);
  EXPECT_GT(expected, 1);
  EXPECT_NEAR(frechet_distance(a, b), expected, 1e-12);
}

TEST(Frechet, IsZeroForEqualSetsAndSymmetric) {
  Generator rng(1);
  const Tensor mix = Tensor::randn({40, 40}, rng);
  const Tensor x = matmul(Tensor::randn({300, 40}, rng), mix), y = Tensor::randn({200, 40}, rng) * 3 + 1;
  const double there = distance(x, y);
  EXPECT_GT(there, 100);
  EXPECT_NEAR(distance(y, x), there, 1e-9 * there);
  EXPECT_NEAR(distance(x, x), 0, 1e-9 * there);
  // Fewer points than dimensions: half of the eigenvalues are zero.
  const Tensor few = Tensor::randn({20, 40}, rng);
  EXPECT_NEAR(distance(few, few), 0, 1e-6);
  EXPECT_NEAR(distance(few, x), distance(x, few), 1e-9 * there);
}

TEST(Frechet, OfLargeSetsIsThatOfTheirDistributions) {
  Generator rng(2);
  const Tensor x = Tensor::randn({50'000, 8}, rng), y = Tensor::randn({50'000, 8}, rng) * 2 + 0.5;
  // 8 (0.5^2 + (2 - 1)^2), with an error of some sqrt(8 / 50,000) in each of the parts.
  EXPECT_NEAR(distance(x, y), 10, 0.15);
}

TEST(Frechet, MisuseIsExplained) {
  EXPECT_THROW(moments_of(Tensor::zeros({1, 3})), std::invalid_argument);
  EXPECT_THROW(moments_of(Tensor::zeros({4})), std::invalid_argument);
  EXPECT_THROW(distance(Tensor::zeros({4, 2}), Tensor::zeros({4, 3})), std::invalid_argument);
}

}  // namespace
}  // namespace rill::flow
