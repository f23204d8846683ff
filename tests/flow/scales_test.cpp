// Every measure of distance, at any scale and offset of the points: its value for s x + c is that for x, in the unit s.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "datasets/annulus.hpp"
#include "datasets/gaussians.hpp"
#include "flow/metrics/metrics.hpp"
#include "flow/solver/step_control.hpp"
#include "flow/transport/assignment.hpp"
#include "flow/transport/pairwise.hpp"
#include "flow/transport/sinkhorn.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;

// Multiples of 2^-8 within some units of 0: offsets up to 2^15 are added to them without rounding.
Tensor on_grid(Index n, Index dimension, Generator& rng) {
  Tensor x = Tensor::randn({n, dimension}, rng);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = std::round(x.data()[i] * 256) / 256;
  return x;
}

struct Measure {
  std::string name;
  double power;  // of the unit
  std::function<double(const Tensor& x, const Tensor& y)> of;
};

std::vector<Measure> measures() {
  const auto value = [](Estimate (*measure)(const Tensor&, const Tensor&)) {
    return [measure](const Tensor& x, const Tensor& y) { return measure(x, y).value; };
  };
  const auto error = [](Estimate (*measure)(const Tensor&, const Tensor&)) {
    return [measure](const Tensor& x, const Tensor& y) { return measure(x, y).standard_error; };
  };
  const auto sliced = [](const Tensor& x, const Tensor& y) {
    Generator rng(1);
    return sliced_wasserstein2(x, y, rng);
  };
  const auto mmd = [](const Tensor& x, const Tensor& y) { return squared_mmd(x, y); };
  const std::vector<double> times{0, 0.25, 1};
  const auto way = [](const Tensor& x, const Tensor& y) { return std::vector<Tensor>{x, x + (y - x) * Real(0.5), y}; };
  return {
      {"wasserstein1", 1, value(wasserstein1)},
      {"wasserstein1_se", 1, error(wasserstein1)},
      {"wasserstein2", 1, value(wasserstein2)},
      {"wasserstein2_se", 1, error(wasserstein2)},
      {"sliced", 1, [=](const Tensor& x, const Tensor& y) { return sliced(x, y).value; }},
      {"sliced_se", 1, [=](const Tensor& x, const Tensor& y) { return sliced(x, y).standard_error; }},
      {"energy", 1, value(energy_distance)},
      {"energy_se", 1, error(energy_distance)},
      {"mmd", 0, [=](const Tensor& x, const Tensor& y) { return mmd(x, y).value; }},
      {"mmd_se", 0, [=](const Tensor& x, const Tensor& y) { return mmd(x, y).standard_error; }},
      {"median", 1, median_distance},
      {"nearest", 1, [](const Tensor& x, const Tensor& y) { return mean_of(nearest_distances(x, y)).value; }},
      {"precision", 0, [](const Tensor& x, const Tensor& y) { return precision_and_recall(x, y).precision.value; }},
      {"recall", 0, [](const Tensor& x, const Tensor& y) { return precision_and_recall(x, y).recall.value; }},
      {"frechet", 2, [](const Tensor& x, const Tensor& y) { return frechet_distance(moments_of(x), moments_of(y)); }},
      {"path_energy", 2, [=](const Tensor& x, const Tensor& y) { return path_energy(times, way(x, y)).value; }},
      {"straightness", 2, [=](const Tensor& x, const Tensor& y) { return straightness(times, way(x, y)).value; }},
      {"npe", 0,
       [=](const Tensor& x, const Tensor& y) {
         return normalized_path_energy(path_energy(times, way(x, y)), wasserstein2(x, y)).value;
       }},
      {"npe_se", 0,
       [=](const Tensor& x, const Tensor& y) {
         return normalized_path_energy(path_energy(times, way(x, y)), wasserstein2(x, y)).standard_error;
       }},
      {"sinkhorn", 2, [](const Tensor& x, const Tensor& y) {
         const double median = median_distance(x, y);
         const EntropicPlan plan = sinkhorn(x, y, {.regularization = 0.1 * median * median});
         EXPECT_TRUE(plan.converged);
         const Tensor p = plan.matrix();
         double cost = 0;
         for (std::size_t i = 0; i < plan.cost.size(); ++i) {
           cost += static_cast<double>(p.data()[static_cast<Index>(i)]) * plan.cost[i];
         }
         return cost;
       }}};
}

class AnyDimension : public ::testing::TestWithParam<Index> {};

TEST_P(AnyDimension, ScalesAndOffsetsChangeTheUnitOnly) {
  Generator rng(3);
  const Tensor x = on_grid(40, GetParam(), rng), y = on_grid(40, GetParam(), rng) * Real(0.5) + Real(1);
  for (const Measure& measure : measures()) {
    const double expected = measure.of(x, y);
    ASSERT_TRUE(std::isfinite(expected)) << measure.name;
    for (const int exponent : {-100, -60, 0, 60, 99}) {  // 1e-30 to 1e30
      for (const Real offset : {Real(0), Real(4096), Real(-4096)}) {
        const Real scale = std::ldexp(Real(1), exponent);
        const double found = measure.of((x + offset) * scale, (y + offset) * scale);
        const double unit = std::pow(std::ldexp(1., exponent), measure.power);
        // Rounding may decide which of several dual potentials is found, and with it the standard error.
        const double tolerance = measure.name.ends_with("_se") ? 1e-2 : 2e-4;
        EXPECT_NEAR(found / unit, expected, tolerance * std::abs(expected))
            << measure.name << " at 2^" << exponent << " and " << offset;
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Scales, AnyDimension, ::testing::Values(2, 8, 9, 50));

TEST(Scales, SlicedDistancesAreNeverAboveTheWholeOne) {
  Generator rng(4);
  for (const Index dimension : {1, 2, 20}) {
    const Tensor x = on_grid(100, dimension, rng) + Real(4096), y = x + Tensor::full({dimension}, Real(1. / 256));
    const double whole = wasserstein2(x, y).value;
    EXPECT_NEAR(whole, std::sqrt(static_cast<double>(dimension)) / 256, 1e-9);
    EXPECT_LE(sliced_wasserstein2(x, y, rng).value, whole * (1 + 1e-12));
  }
}

// With one outlier in a thousand points, robust measures stay robust.
TEST(Scales, AnOutlierHidesNothing) {
  Generator rng(5);
  for (const Index dimension : {2, 20}) {
    const Tensor x = Tensor::randn({200, dimension}, rng), y = Tensor::randn({200, dimension}, rng) + Real(1);
    Tensor far = x.clone();
    far.data()[0] = Real(1e25);
    EXPECT_NEAR(median_distance(far, y) / median_distance(x, y), 1, 0.05);
    EXPECT_NEAR(squared_mmd(far, y).value / squared_mmd(x, y).value, 1, 0.05);
    const Tensor near_x = nearest_distances(x, y), near_far = nearest_distances(far, y);
    for (Index i = 1; i < 200; ++i) EXPECT_NEAR(near_far.data()[i] / near_x.data()[i], 1, 1e-5);
  }
}

TEST(Pairwise, DistancesKeepTheirDigitsWhereThePointsAreFar) {
  Generator rng(6);
  for (const Index dimension : {2, 8, 9, 40}) {
    // Two clusters far apart, each of points close together.
    Tensor x = on_grid(60, dimension, rng);
    for (Index i = 0; i < 30 * dimension; ++i) x.data()[i] += 8192;
    const SquaredDistances distances(x, x, 1);
    const Tensor all = distances.rows(0, 60);
    const auto in_double = distances.all_in_double();
    for (Index i = 0; i < 60; ++i) {
      for (Index j = 0; j < 60; ++j) {
        double expected = 0;
        for (Index d = 0; d < dimension; ++d) {
          const double difference = static_cast<double>(x.data()[i * dimension + d]) - x.data()[j * dimension + d];
          expected += difference * difference;
        }
        ASSERT_NEAR(all.data()[i * 60 + j], expected, 2e-5 * expected) << dimension;
        ASSERT_NEAR(in_double[static_cast<std::size_t>(i * 60 + j)], expected, 2e-5 * expected) << dimension;
        ASSERT_DOUBLE_EQ(distances.exact(i, j), expected);
      }
    }
  }
}

TEST(Neighbors, ACopyIsAtNoDistance) {
  Generator rng(7);
  for (const Index dimension : {2, 50}) {
    const Tensor y = Tensor::randn({300, dimension}, rng) + Real(100);
    const Tensor copies = nearest_distances(slice(y, 0, 100, 200), y);
    for (const Real distance : copies.values()) EXPECT_EQ(distance, 0);
  }
}

// The assignment is optimal even if the relevant distances are small relative to the points.
TEST(Scales, AssignmentFindsShiftsWithinFarClusters) {
  Generator rng(8);
  for (const Index dimension : {2, 16}) {
    Tensor a = on_grid(100, dimension, rng);
    for (Index i = 0; i < 50 * dimension; ++i) a.data()[i] += 8192;
    const Tensor b = gather_rows(a, Indices(rng.permutation(100))) + Tensor::full({dimension}, Real(1. / 256));
    EXPECT_NEAR(wasserstein2(a, b).value * 256, std::sqrt(static_cast<double>(dimension)), 1e-6);
  }
}

TEST(Scales, PointsThatAreNoNumbersAreRefused) {
  Generator rng(9);
  const Tensor x = on_grid(10, 2, rng);
  const datasets::Annulus annulus;
  const auto modes = datasets::two_modes(0.25, 10, 0.5);
  for (const Real bad : {std::numeric_limits<Real>::quiet_NaN(), std::numeric_limits<Real>::infinity()}) {
    Tensor broken = x.clone();
    broken.data()[7] = bad;
    for (const Measure& measure : measures()) {
      if (measure.name == "npe_se") continue;
      EXPECT_THAT(misuse([&] { measure.of(x, broken); }), HasSubstr("point 3 has the coordinate")) << measure.name;
    }
    EXPECT_THAT(misuse([&] { share_in_support(annulus, broken); }), HasSubstr("point 3 has the coordinate"));
    EXPECT_THAT(misuse([&] { mode_masses(*modes, broken); }), HasSubstr("point 3 has the coordinate"));
  }
}

// With rtol alone a component that is and stays 0 has no error; ratios of tiny errors are not 0 / 0.
TEST(Scales, ErrorRatios) {
  for (const Tableau* method : {&kDormandPrince5, &kDormandPrince8}) {
    for (const double scale : {1e-30, 1., 1e30}) {
      Step step;
      const Tensor zero_and = Tensor::from({0, 1}, {1, 2});
      step.x = zero_and * scale;
      step.x_next = zero_and * (1.5 * scale);
      step.h = {0.5};
      step.rows = Indices({0});
      step.t = {0.};
      for (int stage = 0; stage < 16; ++stage) step.k.push_back(zero_and * (scale * (1 + 0.1 * stage * stage)));
      step.k.resize(method->b.size());
      const double ratio = error_ratios(*method, {.rtol = 1e-3, .atol = 0}, step)[0];
      EXPECT_TRUE(std::isfinite(ratio) && ratio > 0) << method->name << ' ' << scale;
    }
  }
}

}  // namespace
}  // namespace rill::flow
