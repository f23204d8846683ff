// Schedulers, the affine path, its loss and predictions, compared with formulas and published numbers.
#include "flow/path/path.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <stdexcept>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/loss/loss.hpp"
#include "flow/path/prediction.hpp"
#include "flow/path/scheduler.hpp"
#include "flow/path/time_sampling.hpp"
#include "flow/solver/ode.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
constexpr bool kDouble = sizeof(Real) == 8;

std::vector<std::shared_ptr<const Scheduler>> all_schedulers() {
  std::vector<std::shared_ptr<const Scheduler>> result;
  for (const std::string& name : scheduler_names())
    result.push_back(make_scheduler({.name = name, .sigma_min = 0.05, .power = 3}));
  return result;
}

void expect_coefficients(const Coefficients& c, double alpha, double sigma, double d_alpha, double d_sigma) {
  EXPECT_NEAR(c.alpha, alpha, 5.1e-8);
  EXPECT_NEAR(c.sigma, sigma, 5.1e-8);
  EXPECT_NEAR(c.d_alpha, d_alpha, 5.1e-8);
  EXPECT_NEAR(c.d_sigma, d_sigma, 5.1e-8);
}

TEST(Scheduler, TabulatedValues) {
  expect_coefficients(VpScheduler().at(0.5), .2811829, .9596542, 1.4129440, -.4139988);
  expect_coefficients(VpScheduler().at(0.9), .9467218, .3220525, .9893243, -2.9082673);
  expect_coefficients(LinearVpScheduler().at(0.5), .5, .8660254, 1, -.5773503);
  expect_coefficients(LinearVpScheduler().at(0.9), .9, .4358899, 1, -2.0647416);
  expect_coefficients(CosineScheduler().at(0.5), .7071068, .7071068, 1.1107207, -1.1107207);
  expect_coefficients(CosineScheduler().at(0.9), .9876883, .1564345, .2457267, -1.5514572);
  expect_coefficients(CondOtScheduler().at(0.3), .3, .7, 1, -1);
  expect_coefficients(CondOtScheduler(0.1).at(0.5), .5, .55, 1, -.9);
  expect_coefficients(PolynomialScheduler(3).at(0.5), .125, .875, .75, -.75);
}

TEST(Scheduler, DerivativesAreThoseOfTheCoefficients) {
  for (const auto& scheduler : all_schedulers()) {
    SCOPED_TRACE(scheduler->name());
    for (const double t : {0.05, 0.3, 0.5, 0.8, 0.95}) {
      const double h = 1e-5;
      const Coefficients above = scheduler->at(t + h), below = scheduler->at(t - h), c = scheduler->at(t);
      EXPECT_NEAR(c.d_alpha, (above.alpha - below.alpha) / (2 * h), 1e-6 * (1 + std::abs(c.d_alpha)));
      EXPECT_NEAR(c.d_sigma, (above.sigma - below.sigma) / (2 * h), 1e-6 * (1 + std::abs(c.d_sigma)));
    }
  }
}

TEST(Scheduler, RunsFromNoiseToData) {
  for (const auto& scheduler : all_schedulers()) {
    SCOPED_TRACE(scheduler->name());
    EXPECT_NEAR(scheduler->at(0).alpha, 0, 0.01);  // VP only comes close: e^(-T/2) with T = 10.05
    EXPECT_NEAR(scheduler->at(0).sigma, 1, 1e-4);
    EXPECT_NEAR(scheduler->at(1).alpha, 1, 1e-12);
    EXPECT_NEAR(scheduler->at(1).sigma, scheduler->name() == "cond-ot" ? 0.05 : 0, 1e-12);
  }
}

TEST(Scheduler, MisuseIsExplained) {
  EXPECT_THAT([] { make_scheduler({.name = "cosin"}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("known: cond-ot, polynomial, cosine")));
  EXPECT_THROW(CondOtScheduler(1), std::invalid_argument);
  EXPECT_THROW(PolynomialScheduler(0), std::invalid_argument);
  EXPECT_THROW(VpScheduler(2, 1), std::invalid_argument);
}

TEST(AffinePath, PointsAndVelocities) {
  const AffinePath path(make_scheduler({.name = "polynomial", .power = 2}));
  const Tensor x_0 = Tensor::from({1, 2, 3, 4}, {2, 2}), x_1 = Tensor::from({5, 6, 7, 8}, {2, 2});
  const PathSample s = path.sample(x_0, x_1, Tensor::from({0.5, 1}, {2}));
  EXPECT_THAT(s.x_t.to_vector(), ElementsAre(2, 3, 7, 8));   // 1/4 x_1 + 3/4 x_0, then x_1
  EXPECT_THAT(s.dx_t.to_vector(), ElementsAre(4, 4, 8, 8));  // 2 t (x_1 - x_0)
  const Tensor image = Tensor::zeros({2, 3, 4});
  EXPECT_EQ(path.sample(image, image, Tensor::zeros({2})).x_t.shape(), image.shape());
  EXPECT_THAT([&] { path.sample(x_0, x_1, Tensor::zeros({3})); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("[2, 2], [2, 2] and [3]")));
}

TEST(AffinePath, GradientsReachBothEnds) {
  const AffinePath path(make_scheduler({.name = "cosine"}));
  Generator rng(1);
  rill::testing::expect_gradients(
      [&](const std::vector<Tensor>& x) {
        const PathSample s = path.sample(x[0], x[1], Tensor::from({0.2, 0.7, 0.4}, {3}));
        return square(s.x_t) * s.dx_t;
      },
      {Tensor::randn({3, 2}, rng), Tensor::randn({3, 2}, rng)});
}

TEST(AffinePath, OfTongsTable) {
  Generator rng(11);
  const Index n = 100'000;
  const double sigma = 0.3;
  const Tensor x_0 = Tensor::full({n, 1}, 2), x_1 = Tensor::full({n, 1}, -1);
  // Mean and deviation of x_t, and dx_t as a function of x_t (Tong et al. 2024, table 1 and equation 20).
  struct Row {
    const char* name;
    double (*mean)(double t), (*deviation)(double t), (*velocity)(double t, double x);
  };
  const Row rows[] = {
      {"target", [](double t) { return -t + (1 - 0.7 * t) * 2; }, [](double) { return 0.0; },
       [](double t, double x) { return (-1 - 0.7 * x) / (1 - 0.7 * t); }},
      {"i-cfm", [](double t) { return 2 - 3 * t; }, [](double) { return 0.3; }, [](double, double) { return -3.0; }},
      {"vp-cfm", [](double t) { return 2 * std::cos(std::numbers::pi / 2 * t) - std::sin(std::numbers::pi / 2 * t); },
       [](double) { return 0.3; },
       [](double t, double) {
         const double a = std::numbers::pi / 2;
         return a * (-std::cos(a * t) - 2 * std::sin(a * t));
       }},
      {"schroedinger-bridge", [](double t) { return 2 - 3 * t; }, [](double t) { return 0.3 * std::sqrt(t * (1 - t)); },
       [](double t, double x) { return (1 - 2 * t) / (2 * t * (1 - t)) * (x - (2 - 3 * t)) - 3; }}};
  for (const Row& row : rows) {
    const AffinePath path = make_path({.name = row.name, .sigma = sigma});
    for (const double t : {0.1, 0.5, 0.8}) {
      SCOPED_TRACE(concat(row.name, " at ", t));
      const PathSample s = path.sample(x_0, x_1, Tensor::full({n}, t), rng);
      const double average = mean(s.x_t).item(), deviation = std::sqrt(mean(square(s.x_t - row.mean(t))).item());
      EXPECT_NEAR(average, row.mean(t), 5 * row.deviation(t) / std::sqrt(n) + 1e-5);
      EXPECT_NEAR(deviation, row.deviation(t), 5 * row.deviation(t) / std::sqrt(2 * n) + 1e-5);
      for (Index i = 0; i < 100; ++i) {
        EXPECT_NEAR(s.dx_t.data()[i], row.velocity(t, static_cast<double>(s.x_t.data()[i])), kDouble ? 1e-12 : 1e-4);
      }
    }
  }
}

TEST(AffinePath, IsFiniteAtBothEnds) {
  Generator rng(12);
  const Tensor x_0 = Tensor::randn({3, 2}, rng), x_1 = Tensor::randn({3, 2}, rng), t = Tensor::from({0, 0.5, 1}, {3});
  for (const std::string& name : path_names()) {
    SCOPED_TRACE(name);
    const bool noisy = name == "target" || name == "i-cfm" || name == "vp-cfm" || name == "schroedinger-bridge";
    const AffinePath path = make_path({.name = name, .sigma = noisy ? 0.2 : 0, .power = 0.5});
    const PathSample s = path.sample(x_0, x_1, t, rng);
    for (const Real value : s.dx_t.values()) EXPECT_TRUE(std::isfinite(value));
    EXPECT_NEAR(s.t.data()[1], 0.5, 0);
    EXPECT_NEAR(s.t.data()[0], 0, 1.1 * AffinePath::kEndMargin);
    EXPECT_NEAR(s.t.data()[2], 1, 1.1 * AffinePath::kEndMargin);
  }
}

TEST(AffinePath, MisuseIsExplained) {
  const auto message = [](const PathDescription& description) { return misuse([&] { make_path(description); }); };
  EXPECT_THAT(message({.name = "bridge"}), HasSubstr("known: cond-ot, polynomial"));
  EXPECT_THAT(message({.name = "schroedinger-bridge"}), HasSubstr("set a sigma above 0"));
  EXPECT_THAT(message({.name = "vp", .sigma = 0.1}), HasSubstr("leave it at 0"));
  EXPECT_THAT(message({.name = "i-cfm", .sigma = -1}), HasSubstr("sigma is -1"));
  const AffinePath bridge = make_path({.name = "schroedinger-bridge", .sigma = 1});
  const Tensor x = Tensor::zeros({1, 1});
  EXPECT_THAT(misuse([&] { bridge.sample(x, x, Tensor::zeros({1})); }), HasSubstr("generator"));
}

TEST(Loss, TheBridgesScoreIsItsMinimizer) {
  // x_0 = 0, x_1 = 1 for every sample: x_t ~ N(t, sigma^2 t (1 - t)), so (sigma^2 / 2) times the score is known.
  Generator rng(13);
  const double sigma = 0.7;
  const Index n = 200'000;
  const AffinePath path = make_path({.name = "schroedinger-bridge", .sigma = sigma});
  const PathSample s =
      path.sample(Tensor::zeros({n, 1}), Tensor::ones({n, 1}), sample_times({.distribution = "uniform"}, n, rng), rng);
  const auto loss = [&](double factor, double shift) {
    const Velocity drift = [&](const Tensor& x, const Tensor& t) {
      const Tensor time = per_sample(t, 2);
      return factor * (time - x) / (2 * time * (1 - time)) + shift;
    };
    return static_cast<double>(bridge_score_loss(drift, s, sigma).item());
  };
  EXPECT_NEAR(loss(1, 0), 0, kDouble ? 1e-20 : 1e-4);
  EXPECT_GT(loss(0.9, 0), 0.005);
  EXPECT_GT(loss(1, 0.1), 0.005);
  EXPECT_THAT(misuse([&] {
                bridge_score_loss([](const Tensor& x, const Tensor&) { return x; },
                                  AffinePath(make_scheduler({})).sample(s.x_t, s.x_t, s.t), sigma);
              }),
              HasSubstr("bridge's noise"));
}

TEST(Prediction, EveryOneFollowsFromEveryOther) {
  Generator rng(3);
  const Tensor x_0 = Tensor::randn({4, 2}, rng), x_1 = Tensor::randn({4, 2}, rng),
               t = Tensor::from({0.1, 0.4, 0.6, 0.9}, {4});
  for (const auto& scheduler : all_schedulers()) {
    SCOPED_TRACE(scheduler->name());
    const AffinePath path(make_scheduler({.name = scheduler->name(), .sigma_min = 0.05, .power = 3}));
    const PathSample s = path.sample(x_0, x_1, t);
    const Tensor sigma = per_sample(scheduler->at(t).sigma, 2);
    const std::vector<std::pair<Prediction, Tensor>> all = {{Prediction::kVelocity, s.dx_t},
                                                            {Prediction::kData, x_1},
                                                            {Prediction::kNoise, x_0},
                                                            {Prediction::kScore, -x_0 / sigma}};
    for (const auto& [from, value] : all) {
      for (const auto& [to, expected] : all) {
        const Tensor result = convert(value, from, to, s.x_t, t, *scheduler);
        for (Index i = 0; i < 8; ++i) {
          // In float x_0 is lost against x_1 where alpha is small or large: VP at t = 0.1 has alpha = 0.017.
          EXPECT_NEAR(result.data()[i], expected.data()[i],
                      (kDouble ? 1e-11 : 2e-3) * (1 + std::abs(expected.data()[i])));
        }
      }
    }
  }
}

// --- Two Gaussians: N(0, I) to N(m, s^2 I) on the straight path, where everything is known ---------------------------

// u_t(x) = m + ((t s^2 - (1 - t)) / ((1 - t)^2 + t^2 s^2)) (x - t m)
Velocity two_gaussians(double m, double s) {
  return [=](const Tensor& x, const Tensor& t) {
    const Tensor time = per_sample(t, x.rank());
    const Tensor slope = (time * (s * s) - (1 - time)) / (square(1 - time) + square(time) * (s * s));
    return slope * (x - time * m) + m;
  };
}

TEST(TwoGaussians, TheFlowIsAffine) {
  const Tensor x_0 = Tensor::from({2}, {1, 1});
  const auto end = [&](const Tableau& method, Index steps) {
    return static_cast<double>(solve(two_gaussians(3, 0.5), x_0, uniform_grid(0, 1, steps), method).x.item());
  };
  const double tolerance = kDouble ? 5.1e-7 : 5e-6;
  EXPECT_NEAR(end(kEuler, 1), 3.0, tolerance);
  EXPECT_NEAR(end(kEuler, 10), 3.861565, tolerance);
  EXPECT_NEAR(end(kEuler, 100), 3.985291, tolerance);
  EXPECT_NEAR(end(kMidpoint, 1), 3.8, tolerance);
  EXPECT_NEAR(end(kMidpoint, 10), 3.999769, tolerance);
  EXPECT_NEAR(end(kMidpoint, 100), 4.0, 1e-6 + tolerance);
}

TEST(TwoGaussians, TheDivergenceIntegratesToLogS) {
  // The state is (x, l) with dl/dt = du/dx; a second coordinate carries l.
  const double m = 3, s = 0.5;
  const Velocity u = two_gaussians(m, s);
  const Velocity with_divergence = [&](const Tensor& state, const Tensor& t) {
    const GradMode record_graph(true);
    const Tensor x = slice(state, 1, 0, 1).detach().set_requires_grad();
    const Tensor value = u(x, t);
    return concatenate({value.detach(), grad(sum(value), x)}, 1);
  };
  const Tensor end = solve(with_divergence, Tensor::from({2, 0}, {1, 2}), uniform_grid(0, 1, 50), kRk4).x;
  EXPECT_NEAR(end.data()[0], m + s * 2, 1e-5);
  EXPECT_NEAR(end.data()[1], std::log(s), 1e-5);
}

double exact_loss(const Velocity& velocity, const AffinePath& path, double m, double s) {
  Generator rng(4);
  double total = 0;
  constexpr int kBatches = 20;
  for (int i = 0; i < kBatches; ++i) {
    const Tensor x_0 = Tensor::randn({50'000, 1}, rng), x_1 = m + s * Tensor::randn({50'000, 1}, rng);
    const Tensor t = Tensor::rand({50'000}, rng);
    total += static_cast<double>(conditional_flow_matching_loss(velocity, path.sample(x_0, x_1, t)).item());
  }
  return total / kBatches;
}

TEST(TwoGaussians, TheLossHasItsFloor) {
  const double s = 0.5;  // floor (pi / 2) s; the standard error of a million draws is 0.1 %
  const AffinePath straight(make_scheduler({}));
  EXPECT_NEAR(exact_loss(two_gaussians(3, s), straight, 3, s), std::numbers::pi / 2 * s, 0.005 * s);
  // On the cosine path with equal Gaussians nothing moves, and all of the conditional velocity is loss.
  const AffinePath cosine(make_scheduler({.name = "cosine"}));
  const Velocity still = [](const Tensor& x, const Tensor&) { return Tensor::zeros(x.shape()); };
  EXPECT_NEAR(exact_loss(still, cosine, 0, 1), std::numbers::pi * std::numbers::pi / 4, 0.015);
}

}  // namespace
}  // namespace rill::flow
