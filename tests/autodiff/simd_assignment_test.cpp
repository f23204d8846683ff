// The assignment kernels of each set against the reference, for every form of a row of costs.
#include "tests/autodiff/simd_testing.hpp"

namespace rill::simd {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<double> numbers(Index n, std::uint64_t seed) {
  TestRandom random(seed);
  std::vector<double> result;
  for (Index i = 0; i < n; ++i) result.push_back(random.uniform(-1, 1));
  return result;
}

// Rows of n costs, and everything they point to.
struct Rows {
  explicit Rows(Index n)
      : doubles(numbers(n, 1)),
        floats(doubles.begin(), doubles.end()),
        point(numbers(3, 2)),
        points(numbers(3 * n, 3)) {
    rows = {{.floats = floats.data()},
            {.doubles = doubles.data()},
            {.point = point.data(), .points = points.data(), .dimension = 3, .stride = n},
            {.point = point.data(), .points = points.data(), .dimension = 3, .stride = n, .distance = true}};
  }
  std::vector<double> doubles;
  std::vector<float> floats;
  std::vector<double> point, points;
  std::vector<CostRow> rows;
};

void expect_near(const std::vector<double>& got, const std::vector<double>& expected, const char* name) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i] == expected[i]) continue;  // infinities
    ASSERT_NEAR(got[i], expected[i], 1e-14) << name << ' ' << i;
  }
}

TEST(SimdAssignment, AgreesWithReference) {
  for (const Kernels* kernels : available_kernels()) {
    for (const Index n : {kAssignmentBlock, 2 * kAssignmentBlock, 5 * kAssignmentBlock}) {
      const Rows all(n);
      for (const CostRow& row : all.rows) {
        std::vector<double> price = numbers(n, 4), expected_price = price;
        kernels->lower_prices(row, 0.3, n, price.data());
        reference().lower_prices(row, 0.3, n, expected_price.data());
        expect_near(price, expected_price, kernels->name);

        // Columns that do not count: the last one, and some that a search has left.
        price = numbers(n, 5);
        price[3] = price[static_cast<std::size_t>(n - 1)] = -kInfinity;
        const Least least = kernels->two_least(row, price.data(), n);
        const Least expected = reference().two_least(row, price.data(), n);
        EXPECT_NEAR(least.value, expected.value, 1e-14) << kernels->name;
        EXPECT_NEAR(least.next, expected.next, 1e-14) << kernels->name;
        EXPECT_EQ(least.at, expected.at) << kernels->name;

        std::vector<double> distance = numbers(n, 6), from = numbers(n, 7);
        for (std::size_t j = 0; j < distance.size(); j += 2) distance[j] = kInfinity;
        std::vector<double> expected_distance = distance, expected_from = from;
        const Least nearest = kernels->relax(row, price.data(), 0.2, 17, n, distance.data(), from.data());
        const Least expected_nearest =
            reference().relax(row, price.data(), 0.2, 17, n, expected_distance.data(), expected_from.data());
        EXPECT_NEAR(nearest.value, expected_nearest.value, 1e-14) << kernels->name;
        EXPECT_EQ(nearest.at, expected_nearest.at) << kernels->name;
        expect_near(distance, expected_distance, kernels->name);
        EXPECT_EQ(from, expected_from) << kernels->name;
      }
    }
  }
}

TEST(SimdAssignment, OfEqualNumbersTheFirstIsTheLeast) {
  const Index n = 3 * kAssignmentBlock;
  const std::vector<double> price(static_cast<std::size_t>(n), 0);
  for (const Kernels* kernels : available_kernels()) {
    for (Index first = 0; first < n; ++first) {
      std::vector<double> cost(static_cast<std::size_t>(n), 1);
      for (Index j = first; j < n; j += 5) cost[static_cast<std::size_t>(j)] = -1;
      const Least least = kernels->two_least({.doubles = cost.data()}, price.data(), n);
      EXPECT_EQ(least.at, first) << kernels->name;
      EXPECT_EQ(least.value, -1) << kernels->name;
      EXPECT_EQ(least.next, first + 5 < n ? -1 : 1) << kernels->name << ' ' << first;
    }
  }
}

}  // namespace
}  // namespace rill::simd
