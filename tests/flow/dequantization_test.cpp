// Bits per dimension, where the answer is known.
#include "flow/metrics/dequantization.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;

double at(const Tensor& x, Index i) { return static_cast<double>(x.data()[i]); }

// ln N(x; m, s^2 I)
Tensor normal_log_density(const Tensor& x, double m, double s) {
  const double dimension = static_cast<double>(x.size() / x.dim(0));
  return standard_normal_log_density((x - m) / s) - dimension * std::log(s);
}

TEST(BitsPerDimension, OfAUniformDensityIsEight) {
  Generator rng(12);
  const Tensor levels = Tensor::from({0, 17, 255, 128, 3, 254}, {2, 3});
  const LogDensity uniform = [](const Tensor& y) {
    for (const Real value : y.values()) EXPECT_TRUE(-1 <= value && value <= 1);
    return Tensor::full({y.dim(0)}, -3 * std::log(2.0));
  };
  const BitsPerDimension found = bits_per_dimension(uniform, levels, 3, rng);
  EXPECT_NEAR(found.average.value, 8, 1e-6);
  EXPECT_NEAR(found.average.standard_error, 0, 1e-6);
}

TEST(BitsPerDimension, MoreDrawsComeCloserToTheProbabilityOfTheCell) {
  // A normal density as narrow as a cell: P(k) by the error function.
  const double s = 2.0 / 256, center = 0.1;
  const LogDensity narrow = [=](const Tensor& y) { return normal_log_density(y, center, s); };
  const Index n = 4000;
  const double level = 142, low = 2 * level / 256 - 1, high = low + 2.0 / 256;
  const auto distribution = [&](double y) { return std::erfc((center - y) / (s * std::numbers::sqrt2)) / 2; };
  const double exact = -std::log2(distribution(high) - distribution(low));
  const Tensor levels = Tensor::full({n, 1}, level);
  Generator rng(13);
  const BitsPerDimension one = bits_per_dimension(narrow, levels, 1, rng);
  const BitsPerDimension many = bits_per_dimension(narrow, levels, 64, rng);
  EXPECT_GT(one.average.value, exact + 5 * one.average.standard_error) << "one draw only gives a bound";
  EXPECT_GT(one.average.value - exact, 10 * std::abs(many.average.value - exact));
  EXPECT_NEAR(many.average.value, exact, 5 * many.average.standard_error + 0.01);
}

TEST(BitsPerDimension, LevelsAndCells) {
  Tensor levels = Tensor::empty({1, 256});
  for (Index k = 0; k < 256; ++k) levels.data()[k] = static_cast<Real>(k);
  const Tensor back = levels_of(levels / 127.5 - 1);
  EXPECT_EQ(back.to_vector(), levels.to_vector());
  Generator rng(14);
  const Tensor y = dequantize(levels, rng);
  for (Index k = 0; k < 256; ++k) EXPECT_EQ(std::floor((at(y, k) + 1) * 128), static_cast<double>(k));
  const LogDensity any = [](const Tensor& points) { return Tensor::zeros({points.dim(0)}); };
  EXPECT_THAT(misuse([&] { dequantize(Tensor::full({1, 1}, 0.5), rng); }), HasSubstr("found 0.5; levels_of()"));
  EXPECT_THAT(misuse([&] { dequantize(Tensor::full({1, 1}, 256), rng); }), HasSubstr("0 to 255"));
  EXPECT_THAT(misuse([&] { bits_per_dimension(any, levels, 0, rng); }), HasSubstr("at least 1 draw"));
  EXPECT_THAT(misuse([&] { bits_per_dimension(any, Tensor::zeros({0, 2}), 1, rng); }), HasSubstr("[0, 2]"));
}

}  // namespace
}  // namespace rill::flow
