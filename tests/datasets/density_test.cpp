// Facts about single densities: areas, entropies, supports, golden values.
#include "datasets/density.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "autodiff/ops.hpp"
#include "datasets/annulus.hpp"
#include "datasets/checkerboard.hpp"
#include "datasets/gaussians.hpp"
#include "datasets/moons.hpp"
#include "datasets/pinwheel.hpp"
#include "datasets/quadrature.hpp"
#include "datasets/rings.hpp"

namespace rill::datasets {
namespace {

using testing::ElementsAre;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Annulus, HasTheKnownEntropyAndRadii) {
  const Annulus annulus;
  EXPECT_NEAR(*annulus.entropy(), 2.74742, 5e-6);
  Generator rng(1);
  constexpr Index kSamples = 100'000;
  const Tensor x = annulus.sample(kSamples, rng);
  EXPECT_EQ(*annulus.share_in_support(x), 1);
  double mean = 0, square_mean = 0;
  for (Index i = 0; i < kSamples; ++i) {
    const double r = std::hypot(x.data()[2 * i], x.data()[2 * i + 1]);
    mean += r / kSamples;
    square_mean += r * r / kSamples;
  }
  // r ~ U[2, 3]: mean 5/2, variance 1/12. r^2: mean 19/3, variance 211/5 - 361/9.
  EXPECT_NEAR(mean, 2.5, 4 * std::sqrt(1.0 / 12 / kSamples));
  EXPECT_NEAR(square_mean, 19.0 / 3, 4 * std::sqrt((211.0 / 5 - 361.0 / 9) / kSamples));
}

TEST(Annulus, MeasuresDistancesToItsEdges) {
  const Annulus annulus;
  const Real nan = std::numeric_limits<Real>::quiet_NaN();
  const Tensor x = Tensor::from({0, 1.9f, 0, -3.25f, 2.5f, 0, 0, 0, nan, 2.5f}, {5, 2});
  const auto distance = annulus.distance_to_support(x)->to_vector();
  EXPECT_NEAR(distance[0], 0.1, 1e-5);
  EXPECT_NEAR(distance[1], 0.25, 1e-5);
  EXPECT_EQ(distance[2], 0);
  EXPECT_NEAR(distance[3], 2, 1e-5);
  EXPECT_THAT(annulus.in_support(x)->to_vector(), ElementsAre(0, 0, 1, 0, 0)) << "a NaN is not inside";
  EXPECT_THAT(annulus.in_support(x, 0.2)->to_vector(), ElementsAre(1, 0, 1, 0, 0));
  EXPECT_DOUBLE_EQ(*annulus.share_in_support(x, 0.3), 0.6);
  EXPECT_THROW(annulus.in_support(x, -0.1), std::invalid_argument);
  const auto log_density = annulus.log_density(x)->to_vector();
  EXPECT_EQ(log_density[0], -kInfinity);
  EXPECT_NEAR(log_density[2], -std::log(2 * std::numbers::pi * 2.5), 1e-5);
}

struct Board {
  Index cells;
  double low, high;
  double area, entropy;
};

TEST(Checkerboard, HasTheKnownAreas) {
  const double guide = Checkerboard::kGuideExtent;
  for (const Board& board :
       {Board{4, -guide, guide, 39.506, 3.676457}, Board{4, -4, 4, 32, 3.46574}, Board{8, -10, 10, 200, 5.29832},
        Board{5, -10, 10, 208, 5.33754}, Board{4, 0, 4, 8, 2.07944}}) {
    const Checkerboard density(board.cells, board.low, board.high);
    EXPECT_NEAR(*density.entropy(), board.entropy, 5e-6);
    EXPECT_NEAR(std::exp(*density.entropy()), board.area, 5e-4);
    EXPECT_NEAR(density.log_density(Tensor::full({1, 2}, board.low + 0.1))->item(), -board.entropy, 1e-5);
  }
}

/// The cell that each coordinate lies in.
std::vector<Index> cells_of(const Real* x, Index dimension, double low, double side) {
  std::vector<Index> cells;
  for (Index j = 0; j < dimension; ++j) cells.push_back(static_cast<Index>(std::floor((x[j] - low) / side)));
  return cells;
}

TEST(Checkerboard, FillsItsCellsEvenlyInEveryDimension) {
  constexpr Index kSamples = 20'000;
  for (const auto [cells, dimension, occupied] :
       {std::array<Index, 3>{4, 2, 8}, {5, 2, 13}, {3, 3, 14}, {2, 5, 16}, {5, 1, 3}, {4, 1, 2}, {1, 3, 1}}) {
    // Sides of 2: the edges are whole numbers, so that rounding moves no sample to another cell.
    const Checkerboard board(cells, -static_cast<double>(cells), static_cast<double>(cells), dimension);
    EXPECT_NEAR(*board.entropy(), static_cast<double>(dimension) * std::log(2.0) + std::log(occupied), 1e-12);
    Generator rng(7);
    const Tensor x = board.sample(kSamples, rng);
    EXPECT_EQ(*board.share_in_support(x), 1);
    std::map<std::vector<Index>, double> counts;
    for (Index i = 0; i < kSamples; ++i) {
      counts[cells_of(x.data() + i * dimension, dimension, -static_cast<double>(cells), 2)] += 1;
    }
    EXPECT_EQ(static_cast<Index>(counts.size()), occupied) << cells << " cells, dimension " << dimension;
    const double expected = static_cast<double>(kSamples) / static_cast<double>(occupied);
    for (const auto& [cell, count] : counts) EXPECT_NEAR(count, expected, 5 * std::sqrt(expected));
  }
}

TEST(Checkerboard, KeepsSamplesOfAwkwardExtentsInside) {
  const Checkerboard board(7, -0.1, 1.0 / 3, 3);
  Generator rng(8);
  const Tensor x = board.sample(200'000, rng);
  EXPECT_EQ(*board.share_in_support(x), 1);
  EXPECT_EQ(sum(equal(*board.log_density(x), Tensor::scalar(-*board.entropy()))).item(), 200'000);
}

// The shortest way to each of the occupied cells, one by one.
double distance_by_search(const Real* x, Index cells, double low, double side) {
  double best = kInfinity;
  for (Index i = 0; i < cells; ++i) {
    for (Index j = 0; j < cells; ++j) {
      for (Index k = 0; k < cells; ++k) {
        if ((i + j + k) % 2 == 1) continue;
        double total = 0;
        const Index cell[] = {i, j, k};
        for (int axis = 0; axis < 3; ++axis) {
          const double begin = low + static_cast<double>(cell[axis]) * side;
          total += std::pow(std::max({begin - x[axis], x[axis] - begin - side, 0.0}), 2);
        }
        best = std::min(best, std::sqrt(total));
      }
    }
  }
  return best;
}

TEST(Checkerboard, MeasuresTheDistanceToTheNearestOccupiedCell) {
  for (const Index cells : {Index{2}, Index{3}, Index{4}}) {
    const Checkerboard board(cells, -1, 2, 3);
    Generator rng(9);
    const Tensor x = 6 * Tensor::rand({2000, 3}, rng) - 2.5;
    const Tensor distance = *board.distance_to_support(x);
    for (Index i = 0; i < x.dim(0); ++i) {
      const double expected = distance_by_search(x.data() + 3 * i, cells, -1, 3.0 / static_cast<double>(cells));
      ASSERT_NEAR(distance.data()[i], expected, 1e-5) << "point " << i << " of the board of " << cells;
    }
  }
}

TEST(Normal, AgreesWithItsFormulas) {
  const Normal normal(3, 1, 2);
  EXPECT_NEAR(*normal.entropy(), 1.5 * std::log(2 * std::numbers::pi * std::numbers::e * 4), 1e-12);
  EXPECT_NEAR(normal.log_density(Tensor::from({1, 3, -1}, {1, 3}))->item(),
              -1 - 3 * std::log(2.0) - 1.5 * std::log(2 * std::numbers::pi), 1e-5);
  ASSERT_EQ(normal.modes().size(), 1u);
  EXPECT_THAT(normal.modes()[0].mean, ElementsAre(1, 1, 1));
  EXPECT_FALSE(normal.in_support(Tensor::zeros({1, 3})).has_value());
}

TEST(GaussianMixture, AgreesWithTheSumOfItsComponents) {
  const GaussianMixture mixture({1, 3}, Tensor::from({0, 0, 0, 1, 2, 3}, {2, 3}), {1, 0.5});
  const Tensor x = Tensor::from({0.5f, -0.25f, 1, 1, 2, 2.5f}, {2, 3});
  const auto normal = [](const Real* p, double mean_x, double mean_y, double mean_z, double deviation) {
    const double squared = std::pow(p[0] - mean_x, 2) + std::pow(p[1] - mean_y, 2) + std::pow(p[2] - mean_z, 2);
    return std::exp(-squared / (2 * deviation * deviation)) /
           std::pow(2 * std::numbers::pi * deviation * deviation, 1.5);
  };
  const Tensor log_density = *mixture.log_density(x);
  for (Index i = 0; i < 2; ++i) {
    const Real* p = x.data() + 3 * i;
    const double expected = std::log(0.25 * normal(p, 0, 0, 0, 1) + 0.75 * normal(p, 1, 2, 3, 0.5));
    EXPECT_NEAR(log_density.data()[i], expected, 1e-5);
  }
  EXPECT_DOUBLE_EQ(mixture.modes()[1].weight, 0.75);
  EXPECT_THAT(mixture.modes()[1].mean, ElementsAre(1, 2, 3));
  // Far from all components the densities underflow, but not their logarithm.
  EXPECT_NEAR(mixture.log_density(Tensor::full({1, 3}, 100))->item(), -1.5e4, 20);
  EXPECT_EQ(mixture.log_density(Tensor::zeros({0, 3}))->shape(), Shape{0});
}

TEST(GaussianMixture, RefusesListsThatDoNotMatch) {
  const Tensor means = Tensor::zeros({2, 3});
  EXPECT_THROW(GaussianMixture({1}, means, {1, 1}), std::invalid_argument);
  EXPECT_THROW(GaussianMixture({1, 1}, means, {1}), std::invalid_argument);
  EXPECT_THROW(GaussianMixture({1, 0}, means, {1, 1}), std::invalid_argument);
  EXPECT_THROW(GaussianMixture({1, 1}, means, {1, -1}), std::invalid_argument);
  EXPECT_THROW(GaussianMixture({1, 1}, Tensor::zeros({2}), {1, 1}), std::invalid_argument);
}

TEST(TwoModes, HoldsATenthOnTheLeft) {
  const auto density = two_modes();
  Generator rng(2);
  constexpr Index kSamples = 50'000;
  const Tensor x = density->sample(kSamples, rng);
  double left = 0;
  for (Index i = 0; i < kSamples; ++i) left += x.data()[2 * i] < 0;
  EXPECT_NEAR(left / kSamples, 0.1, 4 * std::sqrt(0.09 / kSamples));
  EXPECT_THAT(density->modes()[0].mean, ElementsAre(-5, 0));
  EXPECT_DOUBLE_EQ(density->modes()[0].weight, 0.1);
}

// The entropy floor that golden tables give for scikit-learn's moons with noise 0.1.
TEST(Moons, HasTheKnownEntropy) {
  const Moons moons(0.1, 1, 0);
  Generator rng(3);
  constexpr Index kSamples = 20'000;
  const Tensor log_density = *moons.log_density(moons.sample(kSamples, rng));
  // The values have a standard deviation below 1, so their mean one below 0.0075.
  EXPECT_NEAR(-mean(log_density).item(), 1.008, 0.02);
}

// Rings(1, R, s) has the density e^{-(r^2 + R^2) / 2 s^2} I_0(r R / s^2) / (2 pi s^2), and
// I_0(z) = (1 / pi) integral over [0, pi] of e^{z cos a} da, for which the trapezoid rule converges exponentially.
TEST(Rings, AgreesWithTheBesselFunction) {
  const double radius = 1.5, noise = 0.1, variance = noise * noise;
  const Rings ring(1, radius, noise);
  for (const double r : {0.0, 0.7, 1.4, 1.5, 1.9}) {
    constexpr int kSteps = 4000;
    double total = 0;
    for (int i = 0; i < kSteps; ++i) {
      const double a = 2 * std::numbers::pi * i / kSteps;
      total += std::exp((r * radius * std::cos(a) - (r * r + radius * radius) / 2) / variance) / kSteps;
    }
    const double expected = std::log(total / (2 * std::numbers::pi * variance));
    const Tensor x = Tensor::from({static_cast<Real>(r * std::cos(1.0)), static_cast<Real>(r * std::sin(1.0))}, {1, 2});
    EXPECT_NEAR(ring.log_density(x)->item(), expected, sizeof(Real) == 4 ? 2e-5 * std::abs(expected) + 1e-4 : 1e-8);
  }
}

TEST(Rings, WithoutNoiseAreCirclesWithoutADensity) {
  const Rings rings(3, 3, 0);
  Generator rng(4);
  const Tensor x = rings.sample(3000, rng);
  double counts[4] = {};
  for (Index i = 0; i < x.dim(0); ++i) {
    const double r = std::hypot(x.data()[2 * i], x.data()[2 * i + 1]);
    ASSERT_NEAR(r, std::round(r), 1e-5);
    counts[std::lround(r)] += 1;
  }
  for (const int k : {1, 2, 3}) EXPECT_NEAR(counts[k], 1000, 4 * std::sqrt(1000.0));
  EXPECT_FALSE(rings.log_density(x).has_value());
}

// r and s are independent of the arm, so |x|^2 has the mean scale^2 (1 + 0.3^2 + 0.1^2); five equal arms balance.
TEST(Pinwheel, HasTheKnownMoments) {
  const Pinwheel pinwheel;
  Generator rng(5);
  constexpr Index kSamples = 100'000;
  const Tensor x = pinwheel.sample(kSamples, rng);
  EXPECT_NEAR(mean(square(x)).item() * 2, 4 * 1.1, 0.04);
  const Tensor center = mean(x, {.axes = {0}});
  EXPECT_NEAR(center.data()[0], 0, 0.02);
  EXPECT_NEAR(center.data()[1], 0, 0.02);
}

TEST(Quadrature, IsExactForPolynomialsOfItsDegree) {
  const Quadrature rule = gauss_legendre(16);
  for (const int degree : {0, 1, 7, 30, 31}) {
    double total = 0;
    for (std::size_t i = 0; i < rule.nodes.size(); ++i) total += rule.weights[i] * std::pow(rule.nodes[i], degree);
    EXPECT_NEAR(total, 1.0 / (degree + 1), 1e-14) << "degree " << degree;
  }
}

}  // namespace
}  // namespace rill::datasets
