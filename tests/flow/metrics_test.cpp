// Assignments against brute force and their laws; distances of sets of points.
#include "flow/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/assignment.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

double total_cost(const std::vector<double>& cost, const std::vector<Index>& p) {
  double total = 0;
  for (std::size_t i = 0; i < p.size(); ++i) total += cost[i * p.size() + static_cast<std::size_t>(p[i])];
  return total;
}

void expect_permutation(const std::vector<Index>& p) {
  std::vector<Index> sorted = p;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < p.size(); ++i) ASSERT_EQ(sorted[i], static_cast<Index>(i));
}

TEST(Assignment, EqualsBruteForceForUpToEight) {
  Generator rng(1);
  for (Index n = 0; n <= 8; ++n) {
    for (int trial = 0; trial < 10; ++trial) {
      const Tensor random = Tensor::randn({n, n}, rng);
      std::vector<double> cost(random.values().begin(), random.values().end());
      if (trial % 2 == 1) {
        for (double& c : cost) c = std::round(2 * c);  // many ties
      }
      const std::vector<Index> p = solve_assignment(cost, n);
      expect_permutation(p);
      std::vector<Index> q(static_cast<std::size_t>(n));
      std::iota(q.begin(), q.end(), Index{0});
      double best = std::numeric_limits<double>::infinity();
      do best = std::min(best, total_cost(cost, q));
      while (std::next_permutation(q.begin(), q.end()));
      EXPECT_NEAR(total_cost(cost, p), best, 1e-12) << n;
    }
  }
}

TEST(Assignment, NoSwapLowersTheCost) {
  Generator rng(2);
  const Index n = 300;
  const auto cost = squared_distances(Tensor::randn({n, 2}, rng), Tensor::randn({n, 2}, rng) + 0.5);
  const auto p = solve_assignment(cost, n);
  expect_permutation(p);
  const auto c = [&](Index i, Index j) {
    return cost[static_cast<std::size_t>(i * n + p[static_cast<std::size_t>(j)])];
  };
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < i; ++j) ASSERT_LE(c(i, i) + c(j, j), c(i, j) + c(j, i) + 1e-12);
  }
}

TEST(Assignment, InOneDimensionTheOrderIsKept) {
  Generator rng(3);
  const Index n = 500;
  const Tensor a = Tensor::randn({n, 1}, rng), b = 3 * Tensor::rand({n, 1}, rng);
  std::vector<Real> x = a.to_vector(), y = b.to_vector();
  std::sort(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  double expected = 0;
  for (std::size_t i = 0; i < x.size(); ++i) expected += std::pow(static_cast<double>(x[i] - y[i]), 2);
  EXPECT_NEAR(wasserstein2(a, b), std::sqrt(expected / static_cast<double>(n)), 1e-6);
}

TEST(Assignment, EndsOnEqualCosts) {
  const Index n = 100;
  expect_permutation(solve_assignment(std::vector<double>(static_cast<std::size_t>(n * n), 1.0), n));
}

TEST(Assignment, MisuseIsExplained) {
  EXPECT_THAT([] { solve_assignment(std::vector<double>(3), 2); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("expected 2 x 2 costs, got 3")));
  EXPECT_THAT([] { solve_assignment(std::vector<double>{NAN}, 1); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("NaN")));
}

TEST(Wasserstein2, OfShiftedPointsIsTheShift) {
  Generator rng(4);
  const Tensor a = Tensor::randn({200, 3}, rng);
  EXPECT_NEAR(wasserstein2(a, a + Tensor::from({3, 0, 4}, {3})), 5, 1e-5);
  EXPECT_EQ(wasserstein2(a, gather_rows(a, Indices(Generator(5).permutation(200)))), 0);
  EXPECT_THAT([&] { wasserstein2(a, slice(a, 0, 0, 100)); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("[200, 3] and [100, 3]")));
}

}  // namespace
}  // namespace rill::flow
