// The norm at all magnitudes, against exact values.
#include "autodiff/norm.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace rill {
namespace {

double norm_of(const std::vector<Real>& x) { return norm(static_cast<Index>(x.size()), x.data()); }

TEST(Norm, IsRightAtEveryScale) {
  using Limits = std::numeric_limits<Real>;
  for (int exponent = Limits::min_exponent - 20; exponent <= Limits::max_exponent - 20; ++exponent) {
    const double scale = std::ldexp(1., exponent);
    const auto scaled = [&](double x) { return static_cast<Real>(x * scale); };
    EXPECT_DOUBLE_EQ(norm_of({scaled(3), scaled(-4)}), 5 * scale) << exponent;
    std::vector<Real> x(70'000, scaled(1));  // three pieces; relatively tiny numbers do not count
    x[3] = x[40'000] = exponent >= Limits::min_exponent ? Limits::denorm_min() : 0;
    EXPECT_NEAR(norm_of(x) / scale, std::sqrt(69'998.), 1e-3) << exponent;
  }
}

TEST(Norm, OfNothingZerosInfinityAndNan) {
  const Real infinity = std::numeric_limits<Real>::infinity(), nan = std::numeric_limits<Real>::quiet_NaN();
  EXPECT_EQ(norm_of({}), 0);
  EXPECT_EQ(norm_of({0, Real(-0.), 0}), 0);
  EXPECT_EQ(norm_of({1, -infinity}), infinity);
  EXPECT_TRUE(std::isnan(norm_of({1, nan, 2})));
  EXPECT_TRUE(std::isnan(norm_of({infinity, nan})));
}

TEST(Norm, OfTheLargestNumbersIsNoInfinity) {
  const double largest = static_cast<double>(std::numeric_limits<Real>::max());
  const Real x = static_cast<Real>(largest / 2);
  EXPECT_NEAR(norm_of({x, x, x}) / (largest / 2), std::sqrt(3.), 1e-6);
}

}  // namespace
}  // namespace rill
