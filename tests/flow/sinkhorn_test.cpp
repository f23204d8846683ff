// Entropic transport against closed forms, its limit and its marginals.
#include "flow/transport/sinkhorn.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "autodiff/ops.hpp"
#include "flow/transport/assignment.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// The quantiles of a standard normal at (i + 1/2) / n, by bisection of its distribution function.
Tensor normal_quantiles(Index n) {
  Tensor x = Tensor::empty({n, 1});
  for (Index i = 0; i < n; ++i) {
    const double p = (static_cast<double>(i) + 0.5) / static_cast<double>(n);
    double low = -10, high = 10;
    while (high - low > 1e-9) {
      const double middle = (low + high) / 2;
      (std::erfc(-middle / std::sqrt(2.)) / 2 < p ? low : high) = middle;
    }
    x.data()[i] = static_cast<Real>(low);
  }
  return x;
}

double total(const Tensor& x) { return static_cast<double>(sum(x).item()); }

// Between N(0, 1) and N(0, 1), for the regularization 2 s^2: cross-covariance (sqrt(4 + s^4) - s^2) / 2   (Janati et
// al., "Entropic Optimal Transport between Unbalanced Gaussian Measures has a Closed Form", 2020). 500 quantiles lack
// 0.3 % of the variance.
TEST(Sinkhorn, OfGaussiansHasTheKnownCovariance) {
  const Tensor x = normal_quantiles(500);
  for (const double s : {0.5, 1., 2.}) {
    const EntropicPlan plan = sinkhorn(x, x, {.regularization = 2 * s * s, .tolerance = 1e-5});
    ASSERT_TRUE(plan.converged) << s;
    const double covariance = total(matmul(x, matmul(plan.matrix(), x), {.a = true}));
    EXPECT_NEAR(covariance, (std::sqrt(4 + s * s * s * s) - s * s) / 2, 0.005) << s;
  }
}

TEST(Sinkhorn, HasTheMarginals) {
  Generator rng(1);
  for (const Index dimension : {2, 20}) {
    const Tensor x = Tensor::randn({60, dimension}, rng) + 100., y = 2 * Tensor::rand({90, dimension}, rng) + 100.;
    const EntropicPlan plan = sinkhorn(x, y, {.regularization = 0.1, .tolerance = 1e-3});
    ASSERT_TRUE(plan.converged) << plan.marginal_error;
    const Tensor p = plan.matrix();
    EXPECT_LT(static_cast<double>(max(abs(sum(p, {.axes = {1}}) * 60 - 1)).item()), 1e-4);
    EXPECT_LT(total(abs(sum(p, {.axes = {0}}) - 1. / 90)), 1e-3);
  }
}

// The plan costs at most e ln n more than the best one: KL(P | 1/n^2) is between 0 and ln n for a permutation.
TEST(Sinkhorn, ApproachesTheAssignment) {
  Generator rng(2);
  const Index n = 64;
  const Tensor x = Tensor::randn({n, 2}, rng), y = 3 * Tensor::rand({n, 2}, rng);
  const auto best = optimal_assignment(x, y);
  for (const double e : {1e-1, 1e-2, 1e-4}) {
    const EntropicPlan plan = sinkhorn(x, y, {.regularization = e, .tolerance = 1e-4, .max_iterations = 100000});
    ASSERT_TRUE(plan.converged) << e << ' ' << plan.marginal_error;
    double least = 0, on_best = 0;
    const Tensor p = plan.matrix();
    for (Index i = 0; i < n; ++i) {
      const Index at = i * n + best[static_cast<std::size_t>(i)];
      least += plan.cost[static_cast<std::size_t>(at)] / n;
      on_best += static_cast<double>(p.data()[at]);
    }
    const double cost = std::inner_product(p.values().begin(), p.values().end(), plan.cost.begin(), 0.);
    EXPECT_GT(cost, least - 1e-3);  // the marginals' error, times the costs' size
    EXPECT_LT(cost, least + e * std::log(n) + 1e-3);
    if (e <= 1e-4) {
      EXPECT_GT(on_best, 0.98);
    }
  }
}

// exp(-cost / e) is 0 in any precision between most of these; nothing overflows.
TEST(Sinkhorn, BearsTinyRegularizations) {
  Generator rng(3);
  const Tensor x = 100 * Tensor::randn({50, 2}, rng);
  const Tensor y = gather_rows(x, Indices(rng.permutation(50))) + 0.01 * Tensor::randn({50, 2}, rng);
  const EntropicPlan plan = sinkhorn(x, y, {.regularization = 1e-3});
  EXPECT_TRUE(plan.converged) << plan.marginal_error;
  EXPECT_NEAR(total(plan.matrix()), 1, 1e-3);
  for (const double f : plan.f) EXPECT_TRUE(std::isfinite(f));
}

TEST(Sinkhorn, SaysThatItDidNotConverge) {
  Generator rng(4);
  const Tensor x = Tensor::randn({100, 2}, rng), y = Tensor::randn({100, 2}, rng) + 2.;
  const EntropicPlan plan = sinkhorn(x, y, {.regularization = 1e-3, .tolerance = 1e-6, .max_iterations = 3});
  EXPECT_FALSE(plan.converged);
  EXPECT_GT(plan.marginal_error, 1e-6);
  EXPECT_LT(plan.marginal_error, 2);
}

TEST(Sinkhorn, DrawsFromThePlan) {
  Generator rng(5);
  const Tensor x = Tensor::from({0, 0, 1}, {3, 1}), y = Tensor::from({0, 1}, {2, 1});
  const EntropicPlan plan = sinkhorn(x, y, {.regularization = 1, .tolerance = 1e-6});
  const Tensor p = plan.matrix();
  const int draws = 4000;
  int second[3] = {};
  for (int k = 0; k < draws; ++k) {
    const auto columns = plan.draw_columns(rng);
    for (std::size_t i = 0; i < 3; ++i) second[i] += columns[i] == 1;
  }
  for (Index i = 0; i < 3; ++i) {
    const double expected = 3 * static_cast<double>(p.data()[2 * i + 1]);
    EXPECT_NEAR(second[i] / static_cast<double>(draws), expected, 4 * std::sqrt(0.25 / draws));
  }
  EXPECT_NEAR(3 * static_cast<double>(p.data()[1]), 3 * static_cast<double>(p.data()[3]), 1e-5);  // equal points
}

TEST(Sinkhorn, MisuseIsExplained) {
  const Tensor x = Tensor::zeros({3, 2});
  EXPECT_THAT([&] { sinkhorn(x, x, {.regularization = 0}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("regularization 0, expected a positive number")));
  EXPECT_THAT(
      [&] {
        sinkhorn(x, Tensor::zeros({3, 1}), {.regularization = 1});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("[3, 2] and [3, 1]")));
  EXPECT_THAT(
      [&] {
        sinkhorn(x, Tensor::full({3, 2}, NAN), {.regularization = 1});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("NaN")));
  EXPECT_TRUE(sinkhorn(x, x, {.regularization = 1}).converged);  // all costs 0
}

}  // namespace
}  // namespace rill::flow
