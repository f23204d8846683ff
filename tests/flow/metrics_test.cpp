// Metrics against closed forms, and their standard errors against the spread over repeated draws.
#include "flow/metrics/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "datasets/annulus.hpp"
#include "datasets/checkerboard.hpp"
#include "datasets/gaussians.hpp"
#include "datasets/known_densities.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Over `draws` draws, the standard deviation of the values, and the root of the mean square of the standard errors.
struct Spread {
  double mean, deviation, claimed;
};
Spread spread(int draws, const std::function<Estimate(Generator&)>& measure) {
  double sum = 0, squares = 0, claimed = 0;
  for (int k = 0; k < draws; ++k) {
    Generator rng(100, static_cast<std::uint64_t>(k));
    const Estimate e = measure(rng);
    sum += e.value;
    squares += e.value * e.value;
    claimed += e.standard_error * e.standard_error;
  }
  const double n = draws, mean = sum / n;
  return {mean, std::sqrt((squares - n * mean * mean) / (n - 1)), std::sqrt(claimed / n)};
}
// The deviation of 200 draws is known to 1 / sqrt(2 * 200) = 5 %; four of those.
constexpr int kDraws = 200;
constexpr double kDeviationError = 0.2;

TEST(Estimate, OfAMean) {
  const double terms[] = {1, 2, 3, 6};
  EXPECT_DOUBLE_EQ(mean_of(terms).value, 3);
  EXPECT_DOUBLE_EQ(mean_of(terms).standard_error, std::sqrt(14. / 12));
  const Estimate share = share_of(Tensor::from({1, 0, 0, 0}, {4}));
  EXPECT_DOUBLE_EQ(share.value, 0.25);
  EXPECT_DOUBLE_EQ(share.standard_error, std::sqrt(0.25 * 0.75 / 4));
  EXPECT_THROW(mean_of(Tensor::empty({0})), std::invalid_argument);
}

TEST(Wasserstein, OfShiftedPointsIsTheShift) {
  Generator rng(4);
  const Tensor a = Tensor::randn({200, 3}, rng), shifted = a + Tensor::from({3, 0, 4}, {3});
  EXPECT_NEAR(wasserstein1(a, shifted).value, 5, 1e-5);
  EXPECT_NEAR(wasserstein2(a, shifted).value, 5, 1e-5);
  const Tensor shuffled = gather_rows(a, Indices(Generator(5).permutation(200)));
  EXPECT_EQ(wasserstein1(a, shuffled).value, 0);
  EXPECT_EQ(wasserstein2(a, shuffled).value, 0);
  EXPECT_THAT([&] { wasserstein2(a, slice(a, 0, 0, 100)); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("[200, 3] and [100, 3]")));
}

// W_2(N(0, I), N(m, s^2 I))^2 = |m|^2 + d (s - 1)^2   (Dowson and Landau 1982)
TEST(Wasserstein, OfGaussiansAndItsError) {
  const auto measure = [](Generator& rng) {
    const Tensor a = Tensor::randn({100, 2}, rng);  // one statement each: arguments are evaluated in any order
    return wasserstein2(a, 0.5 * Tensor::randn({100, 2}, rng) + 3.);
  };
  const Spread s = spread(kDraws, measure);
  // Above the truth by the bias of 100 points, some 0.01; one draw deviates by sqrt((1 + 1/4) / 100), the mean by
  // 0.008.
  EXPECT_NEAR(s.mean, std::sqrt(18.5), 0.01 + 4 * 0.008);
  EXPECT_NEAR(s.claimed / s.deviation, 1, kDeviationError);
}

TEST(Wasserstein, TheFirstOneAndItsError) {
  // On a line, for sets that do not overlap, the difference of the means.
  const auto measure = [](Generator& rng) {
    const Tensor a = Tensor::rand({100, 1}, rng);
    return wasserstein1(a, 2 * Tensor::rand({100, 1}, rng) + 3.);
  };
  const Spread s = spread(kDraws, measure);
  const double error = std::sqrt((1. / 12 + 4. / 12) / 100);
  EXPECT_NEAR(s.mean, 3.5, 4 * error / std::sqrt(kDraws));
  EXPECT_NEAR(s.claimed / error, 1, kDeviationError);
}

TEST(SlicedWasserstein, IsTheDistanceOverRootDForAShift) {
  Generator rng(6);
  const Tensor a = Tensor::randn({500, 3}, rng);
  // (theta m)^2 has mean |m|^2 / d.
  const Estimate sw = sliced_wasserstein2(a, a + Tensor::from({3, 0, 4}, {3}), rng, 1000);
  EXPECT_NEAR(sw.value, 5 / std::sqrt(3.), 4 * sw.standard_error);
  // The square's deviation is 25 sqrt(1/5 - 1/9), that of the mean of 1000 over sqrt(1000), of the root over 2 SW.
  EXPECT_NEAR(sw.standard_error, 25 * std::sqrt(4. / 45) / std::sqrt(1000.) / (2 * sw.value), 0.01);
  EXPECT_EQ(sliced_wasserstein2(a, a, rng, 10).value, 0);
}

// The difference of two normals with means m apart and unit variances is normal, z, and
//   E|z| = s sqrt(2 / pi) e^(-m^2 / (2 s^2)) + m erf(m / (s sqrt 2)),   s^2 = 2
TEST(EnergyDistance, OfShiftedNormalsAndItsError) {
  const double m = 1, s = std::sqrt(2.);
  const auto absolute = [&](double mean) {
    return s * std::sqrt(2 / std::numbers::pi) * std::exp(-mean * mean / (2 * s * s)) +
           mean * std::erf(mean / (s * std::sqrt(2.)));
  };
  const Spread shifted = spread(kDraws, [&](Generator& rng) {
    return energy_distance(Tensor::randn({100, 1}, rng), Tensor::randn({150, 1}, rng) + m);
  });
  EXPECT_NEAR(shifted.mean, 2 * absolute(m) - 2 * absolute(0), 4 * shifted.deviation / std::sqrt(kDraws));
  EXPECT_NEAR(shifted.claimed / shifted.deviation, 1, kDeviationError);
  const Spread same = spread(kDraws, [&](Generator& rng) {
    return energy_distance(Tensor::randn({100, 1}, rng), Tensor::randn({100, 1}, rng));
  });
  EXPECT_NEAR(same.mean, 0, 4 * same.deviation / std::sqrt(kDraws));
  // The jackknife is up to sqrt(2) too large here.
  EXPECT_NEAR(same.claimed / same.deviation, std::sqrt(2.), 0.4);
}

TEST(EnergyDistance, ManyCoordinatesAreLikeFew) {
  Generator rng(7);
  const Tensor x = Tensor::randn({50, 2}, rng) + 30., y = Tensor::randn({60, 2}, rng) + 31.;
  const Tensor wide_x = concatenate({x, Tensor::zeros({50, 30})}, 1);
  const Tensor wide_y = concatenate({y, Tensor::zeros({60, 30})}, 1);
  EXPECT_NEAR(energy_distance(x, y).value, energy_distance(wide_x, wide_y).value, 1e-4);
  EXPECT_NEAR(energy_distance(x, y).standard_error, energy_distance(wide_x, wide_y).standard_error, 1e-4);
}

// For N(0, 1) and N(m, 1) and the bandwidth s, with v = s^2 + 2:  MMD^2 = 2 s / sqrt(v) (1 - e^(-m^2 / (2 v)))
TEST(Mmd, OfShiftedNormalsAndItsError) {
  const double m = 1, width[] = {0.5, 2};
  double expected = 0;
  for (const double s : width) {
    const double v = s * s + 2;
    expected += s / std::sqrt(v) * (1 - std::exp(-m * m / (2 * v)));  // half of it: the mean of two
  }
  const Spread shifted = spread(kDraws, [&](Generator& rng) {
    return squared_mmd(Tensor::randn({100, 1}, rng), Tensor::randn({80, 1}, rng) + m, width);
  });
  EXPECT_NEAR(shifted.mean, expected, 4 * shifted.deviation / std::sqrt(kDraws));
  EXPECT_NEAR(shifted.claimed / shifted.deviation, 1, kDeviationError);
  Generator rng(8);
  const Estimate same = squared_mmd(Tensor::randn({500, 2}, rng), Tensor::randn({500, 2}, rng));
  EXPECT_LT(std::abs(same.value), 4 * same.standard_error);
  EXPECT_GT(squared_mmd(Tensor::randn({500, 2}, rng), Tensor::rand({500, 2}, rng)).value, 20 * same.standard_error);
}

TEST(Mmd, TheMedianDistance) {
  // All pairs of -1, 1, -1, 1, ... : of 2 n points, n^2 pairs at distance 2 and n (n - 1) at 0.
  const Tensor x = Tensor::from({-1, 1, -1, 1}, {4, 1});
  EXPECT_DOUBLE_EQ(median_distance(x, x), 2);
  EXPECT_THAT(
      [] {
        squared_mmd(Tensor::zeros({4, 1}), Tensor::zeros({4, 1}));
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("give the bandwidths")));
}

TEST(Divergence, OfNormals) {
  Generator rng(9);
  const datasets::Normal p(2, 0, 1), q(2, 1, 2);
  const Tensor x = p.sample(20000, rng);
  // KL = d (ln s - 1/2 + 1 / (2 s^2)) + |m|^2 / (2 s^2),   -E ln q = KL + entropy of p
  const double expected = 2 * (std::log(2.) - 0.5 + 1. / 8) + 2. / 8;
  const Estimate kl = kl_divergence(*p.log_density(x), *q.log_density(x));
  EXPECT_NEAR(kl.value, expected, 4 * kl.standard_error);
  EXPECT_LT(kl.standard_error, 0.01);
  const Estimate nll = negative_log_likelihood(*q.log_density(x));
  EXPECT_NEAR(nll.value, expected + *p.entropy(), 4 * nll.standard_error);
  EXPECT_EQ(negative_log_likelihood(Tensor::from({0, -INFINITY}, {2})).value, INFINITY);
}

TEST(Support, ShareWithItsBinomialError) {
  const datasets::Annulus annulus;
  const Tensor x = Tensor::from({2.5, 0, 0, 2.2, 0, 1, 0, 3.05}, {4, 2});
  EXPECT_DOUBLE_EQ(share_in_support(annulus, x)->value, 0.5);
  EXPECT_DOUBLE_EQ(share_in_support(annulus, x, 0.1)->value, 0.75);
  EXPECT_DOUBLE_EQ(share_in_support(annulus, x)->standard_error, 0.25);
  EXPECT_FALSE(share_in_support(datasets::Normal(2), x));
}

TEST(ModeMasses, OfAMixture) {
  const auto density = datasets::two_modes(0.25, 10, 0.5);
  const ModeMasses masses = mode_masses(*density, Tensor::from({-5, 0, -4, 1, 6, 0, 5, 3}, {4, 2}));
  EXPECT_EQ(masses.weights, (std::vector{0.25, 0.75}));
  EXPECT_DOUBLE_EQ(masses.shares[0].value, 0.5);
  EXPECT_DOUBLE_EQ(masses.shares[1].value, 0.5);
  EXPECT_DOUBLE_EQ(masses.chi_square.value, 0.0625 / 0.25 + 0.0625 / 0.75);
  EXPECT_DOUBLE_EQ(masses.least_filled, 2. / 3);
  EXPECT_THROW(mode_masses(datasets::Annulus(), Tensor::zeros({1, 2})), std::invalid_argument);
}

TEST(ModeMasses, ChiSquareAndItsErrorOverDraws) {
  const auto density = datasets::gaussians_on_circle(8, 20, 0.5), other = datasets::two_modes(0.3, 20, 0.5);
  const auto same =
      spread(kDraws, [&](Generator& rng) { return mode_masses(*density, density->sample(400, rng)).chi_square; });
  EXPECT_NEAR(same.mean, 7. / 400, 4 * same.deviation / std::sqrt(kDraws));
  EXPECT_NEAR(same.claimed / same.deviation, 1, 0.3);
  const auto wrong = datasets::two_modes(0.6, 20, 0.5);
  const auto off =
      spread(kDraws, [&](Generator& rng) { return mode_masses(*wrong, other->sample(400, rng)).chi_square; });
  EXPECT_NEAR(off.claimed / off.deviation, 1, kDeviationError);
}

TEST(ModeMasses, OfBoardsInAllDimensions) {
  Generator rng(10);
  const struct {
    Index cells, dimension, occupied;
  } boards[] = {{4, 2, 8}, {16, 2, 128}, {5, 2, 13}, {3, 3, 14}, {2, 5, 16}, {2, 12, 2048}};
  for (const auto& [cells, dimension, occupied] : boards) {
    const datasets::Checkerboard board(cells, -4, 4, dimension);
    const ModeMasses masses = mode_masses(board, board.sample(40 * occupied, rng));
    ASSERT_EQ(static_cast<Index>(masses.shares.size()), occupied);
    double total = 0, fullest = 0;
    for (const Estimate& share : masses.shares) {
      total += share.value;
      fullest = std::max(fullest, share.value * static_cast<double>(occupied));
    }
    EXPECT_NEAR(total, 1, 1e-12);  // every sample is in a cell
    // Counts of mean 40 and deviation 6.3: no cell is empty, none is double full.
    EXPECT_GT(masses.least_filled, 0.3);
    EXPECT_LT(fullest, 2);
  }
  const datasets::Checkerboard board(4, 0, 4);
  EXPECT_EQ(board.mode_of(Tensor::from({0.5, 0.5, 0.5, 1.5, 0.5, 2.5, 1.5, 1.5, 3.5, 3.5, 4.5, 0.5}, {6, 2})),
            (std::vector<Index>{0, -1, 1, 2, 7, -1}));
}

TEST(PathEnergy, StraightPathsAreOptimal) {
  Generator rng(11);
  const double t[] = {0, 0.25, 0.7, 1};
  const Tensor x_0 = Tensor::randn({100, 2}, rng), shift = Tensor::from({3, 4}, {2});
  std::vector<Tensor> x;
  for (const double time : t) x.push_back(x_0 + time * shift);
  EXPECT_NEAR(path_energy(t, x).value, 25, 1e-4);
  EXPECT_NEAR(straightness(t, x).value, 0, 1e-9);
  EXPECT_NEAR(normalized_path_energy(path_energy(t, x), wasserstein2(x_0, x.back())).value, 0, 1e-5);
  const double back[] = {1, 0.7, 0.25, 0};
  std::reverse(x.begin(), x.end());
  EXPECT_NEAR(path_energy(back, x).value, 25, 1e-4);
  EXPECT_NEAR(straightness(back, x).value, 0, 1e-9);
}

// Out to twice the shift m and back, at the velocities 4 m and -2 m: energy (16 + 4) / 2 |m|^2, and from the straight
// line's velocity, m, (9 + 9) / 2 |m|^2.
TEST(PathEnergy, OfADetour) {
  const double t[] = {0, 0.5, 1};
  const Tensor zero = Tensor::zeros({3, 2}), shift = Tensor::full({3, 2}, 1);  // |m|^2 = 2
  const std::vector<Tensor> x{zero, 2 * shift, shift};
  EXPECT_NEAR(path_energy(t, x).value, 20, 1e-5);
  EXPECT_NEAR(straightness(t, x).value, 18, 1e-5);
  const Estimate npe = normalized_path_energy({20, 1}, {2, 0.1});
  EXPECT_DOUBLE_EQ(npe.value, 4);
  EXPECT_DOUBLE_EQ(npe.standard_error, std::hypot(0.25, 20 * 0.4 / 16));
  EXPECT_THAT([&] { path_energy(std::span(t, 2), x); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("2 times and 3 sets")));
  EXPECT_THAT([&] { straightness(std::span(t, 2), std::span(x.data(), 2)); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("from 0 to 1")));
}

}  // namespace
}  // namespace rill::flow
