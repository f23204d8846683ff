// Assignments against brute force, by their properties, and by the potentials that prove them optimal.
#include "flow/transport/assignment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>

#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

double squared_distance(const Tensor& a, const Tensor& b, Index i, Index j) {
  double result = 0;
  for (Index d = 0; d < a.dim(1); ++d) {
    const double difference =
        static_cast<double>(a.data()[i * a.dim(1) + d]) - static_cast<double>(b.data()[j * a.dim(1) + d]);
    result += difference * difference;
  }
  return result;
}

// Row-major, of all pairs.
std::vector<double> squared_distances(const Tensor& a, const Tensor& b) {
  std::vector<double> cost;
  for (Index i = 0; i < a.dim(0); ++i) {
    for (Index j = 0; j < b.dim(0); ++j) cost.push_back(squared_distance(a, b, i, j));
  }
  return cost;
}

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

// The certificate: no reduced cost is negative, and those of the pairs are 0, relative to the largest cost.
void expect_optimal(const std::function<double(Index, Index)>& cost, Index n, const Assignment& found, double tolerance,
                    const std::string& name) {
  SCOPED_TRACE(name);
  expect_permutation(found.partner);
  double largest = 0, lowest = 0, gap = 0;
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < n; ++j) {
      const double c = cost(i, j), row = found.row[static_cast<std::size_t>(i)];
      const double reduced = c - row - found.column[static_cast<std::size_t>(j)];
      largest = std::max(largest, std::abs(c));
      lowest = std::min(lowest, reduced);
      if (j == found.partner[static_cast<std::size_t>(i)]) gap = std::max(gap, std::abs(reduced));
    }
  }
  EXPECT_GE(lowest, -tolerance * largest);
  EXPECT_LE(gap, tolerance * largest);
}

TEST(Assignment, PotentialsProveItBest) {
  Generator rng(11);
  for (const Index n : {1, 2, 31, 32, 33, 64, 65, 100, 257, 500}) {
    const Tensor random = Tensor::rand({n, n}, rng);
    std::vector<double> smooth(random.values().begin(), random.values().end()), integer = smooth;
    for (double& c : integer) c = std::floor(10 * c);  // a tenth of all costs are the least of their row
    for (const auto& cost : {smooth, integer}) {
      expect_optimal([&](Index i, Index j) { return cost[static_cast<std::size_t>(i * n + j)]; }, n,
                     assignment_with_potentials(cost, n), 1e-13, std::to_string(n));
    }
  }
}

// Between points the costs are products: in double below kDirectDimension, and in Real above.
TEST(Assignment, PotentialsProveItBestForPoints) {
  Generator rng(12);
  const Index n = 300;
  const Tensor noise = Tensor::randn({n, 2}, rng), uniform = 2 * Tensor::rand({n, 2}, rng) - 1;
  Tensor grid = Tensor::zeros({n, 2});
  for (Index i = 0; i < n; ++i) grid.data()[2 * i] = static_cast<Real>(i % 17);
  const Tensor clusters = gather_rows(Tensor::from({-10, 0, 10, 0, 0, 10}, {3, 2}), Indices(rng.integers(n, 3))) +
                          0.01 * Tensor::randn({n, 2}, rng);
  const Tensor far = noise + 1e4;
  const Tensor wide = Tensor::randn({n, 50}, rng), wide_uniform = Tensor::rand({n, 50}, rng) + 5;
  const struct {
    const char* name;
    const Tensor &a, &b;
  } cases[] = {{"noise to uniform", noise, uniform},  {"to itself", noise, noise},
               {"duplicates on a line", grid, noise}, {"both on a line", grid, grid},
               {"clusters", noise, clusters},         {"far away", far, uniform},
               {"far from far", far, far + uniform},  {"50 dimensions", wide, wide_uniform}};
  for (const auto& test : cases) {
    const Tensor &a = test.a, &b = test.b;
    const std::string name = test.name;
    const bool direct = a.dim(1) <= kDirectDimension;
    const double tolerance = direct ? 1e-12 : std::max(1e-12, 4. * std::numeric_limits<Real>::epsilon());
    expect_optimal([&](Index i, Index j) { return squared_distance(a, b, i, j); }, n, assignment_with_potentials(a, b),
                   tolerance, name);
    EXPECT_EQ(optimal_assignment(a, b), assignment_with_potentials(a, b).partner);
    // Where points coincide, the root turns a rounding error e of the square into sqrt(e).
    expect_optimal([&](Index i, Index j) { return std::sqrt(squared_distance(a, b, i, j)); }, n,
                   assignment_with_potentials(a, b, PointCost::kDistance), direct ? 1e-12 : std::sqrt(tolerance) / 100,
                   name);
  }
}

TEST(Assignment, IsTheSameOnAnyNumberOfThreadsAndFromAnother) {
  Generator rng(13);
  const Tensor a = Tensor::randn({300, 20}, rng), b = Tensor::rand({300, 20}, rng);
  const int threads = thread_count();
  set_thread_count(1);
  const auto expected = optimal_assignment(a, b);
  set_thread_count(4);
  EXPECT_EQ(optimal_assignment(a, b), expected);
  std::vector<Index> elsewhere;
  std::thread worker([&] { elsewhere = optimal_assignment(a, b); });
  EXPECT_EQ(optimal_assignment(a, b), expected);
  worker.join();
  EXPECT_EQ(elsewhere, expected);
  set_thread_count(threads);
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
  const auto p = optimal_assignment(a, b);
  for (Index i = 0; i < n; ++i) {
    const auto rank = std::lower_bound(x.begin(), x.end(), a.data()[i]) - x.begin();
    EXPECT_EQ(b.data()[p[static_cast<std::size_t>(i)]], y[static_cast<std::size_t>(rank)]);
  }
}

TEST(Assignment, EndsOnEqualCosts) {
  const Index n = 100;
  expect_permutation(solve_assignment(std::vector<double>(static_cast<std::size_t>(n * n), 1.0), n));
}

// Equal points make ties of all lengths, which no search may go through one by one.
TEST(Assignment, ManyEqualPointsTakeNoLongerThanDifferentOnes) {
  Generator rng(14);
  const Index n = 600;
  const auto of_kinds = [&](Index kinds, Index dimension) {
    return gather_rows(Tensor::randn({kinds, dimension}, rng), Indices(rng.integers(n, kinds)));
  };
  const auto seconds = [](const std::function<void()>& body) {
    double least = std::numeric_limits<double>::infinity();
    for (int repetition = 0; repetition < 3; ++repetition) {
      const std::clock_t start = std::clock();  // of the processor: others may use it, too
      body();
      least = std::min(least, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    }
    return least;
  };
  for (const Index dimension : {2, 20}) {
    const Tensor noise = Tensor::randn({n, dimension}, rng), uniform = Tensor::rand({n, dimension}, rng);
    const double different = seconds([&] { optimal_assignment(noise, uniform); });
    for (const Index kinds : {1, 2, 16, 60}) {
      const Tensor a = of_kinds(kinds, dimension), b = of_kinds(kinds, dimension);
      const struct { const Tensor &from, &to; } pairs[] = {{a, b}, {a, a}, {a, noise}, {noise, a}};
      for (const auto& [from, to] : pairs) {
        EXPECT_LT(seconds([&, &from = from, &to = to] { optimal_assignment(from, to); }), 4 * different)
            << kinds << " in " << dimension;
        const auto cost = squared_distances(from, to);
        expect_optimal([&](Index i, Index j) { return cost[static_cast<std::size_t>(i * n + j)]; }, n,
                       assignment_with_potentials(from, to), dimension > kDirectDimension ? 1e-5 : 1e-12,
                       std::to_string(kinds));
      }
    }
  }
}

TEST(Assignment, MisuseIsExplained) {
  EXPECT_THAT([] { solve_assignment(std::vector<double>(3), 2); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("expected 2 x 2 costs, got 3")));
  EXPECT_THAT([] { solve_assignment(std::vector<double>{NAN}, 1); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("NaN")));
  EXPECT_THAT(
      [] {
        optimal_assignment(Tensor::zeros({3, 2}), Tensor::zeros({4, 2}));
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("[3, 2] and [4, 2]")));
  EXPECT_THAT(
      [] {
        optimal_assignment(Tensor::zeros({2, 1}), Tensor::full({2, 1}, INFINITY));
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("infinite")));
  EXPECT_TRUE(optimal_assignment(Tensor::zeros({0, 2}), Tensor::zeros({0, 2})).empty());
}

}  // namespace
}  // namespace rill::flow
