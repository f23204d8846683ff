// The distributions of training times.
#include "flow/path/time_sampling.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Times, Distributions) {
  Generator rng(2);
  const Index n = 200'000;
  EXPECT_NEAR(mean(sample_times({.distribution = "uniform"}, n, rng)).item(), 0.5, 5 * 0.2887 / std::sqrt(n));
  const Tensor late = sample_times({.distribution = "late"}, n, rng);
  EXPECT_NEAR(mean(late).item(), 2.0 / 3, 5 * 0.2982 / std::sqrt(n));  // E[1 - u^2], its deviation sqrt(4/45)
  EXPECT_NEAR(mean(less(late, Tensor::scalar(0.75))).item(), 0.5, 5 * 0.5 / std::sqrt(n));
  const Tensor early = sample_times({.distribution = "early"}, n, rng);
  EXPECT_NEAR(mean(less(early, Tensor::scalar(0.25))).item(), 0.5, 5 * 0.5 / std::sqrt(n));
  // Quantiles of the logit-normal distribution: t < 1 / (1 + e^-z) with probability Phi(z).
  const Tensor middle = sample_times({.distribution = "logit-normal"}, n, rng);
  for (const double z : {-4.0, -3.0, -1.5, 0.0, 0.7, 2.5}) {
    const double share = std::erfc(-z / std::numbers::sqrt2) / 2;
    EXPECT_NEAR(mean(less(middle, Tensor::scalar(1 / (1 + std::exp(-z))))).item(), share,
                5 * std::sqrt(share * (1 - share) / static_cast<double>(n)))
        << z;
  }
  EXPECT_THAT([&] { sample_times({.distribution = "later"}, 1, rng); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("known: uniform, late, early, logit-normal")));
}

TEST(Times, OfLowDiscrepancyFillEveryInterval) {
  Generator rng(14);
  for (int draw = 0; draw < 20; ++draw) {
    std::vector<Real> t = sample_times({.low_discrepancy = true}, 64, rng).to_vector();
    std::sort(t.begin(), t.end());
    for (std::size_t i = 0; i < 64; ++i) EXPECT_NEAR(t[i], (static_cast<double>(i) + 0.5) / 64, 0.5001 / 64);
  }
  // The same uniform numbers through the quantile function: t = 1 / (1 + e^-z) where u = Phi(z).
  Generator again(15), same(15);
  const Tensor plain = sample_times({.low_discrepancy = true}, 64, again),
               logit = sample_times({.distribution = "logit-normal", .low_discrepancy = true}, 64, same);
  for (Index i = 0; i < 64; ++i) {
    const double t = static_cast<double>(logit.data()[i]), z = std::log(t / (1 - t));
    EXPECT_NEAR(std::erfc(-z / std::numbers::sqrt2) / 2, plain.data()[i], 2e-6);
  }
}

}  // namespace
}  // namespace rill::flow
