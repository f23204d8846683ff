// The solutions of the exercises in docs/flow-matching.md, by the numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numbers>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/metrics/likelihood.hpp"
#include "flow/path/marginal.hpp"
#include "flow/path/path.hpp"
#include "flow/path/prediction.hpp"
#include "flow/solver/ode.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::flow {
namespace {

double number(const Tensor& x) { return static_cast<double>(x.item()); }
double largest(const Tensor& x) { return number(max(abs(x))); }

// (x, y) -> (-y, x)
Tensor turned(const Tensor& x) { return concatenate({-slice(x, 1, 1, 2), slice(x, 1, 0, 1)}, 1); }
Tensor radius(const Tensor& x) { return sqrt(sum(square(x), {.axes = {1}})); }

TEST(Exercises, EulerOnDecay) {
  const Tensor x_0 = Tensor::from({1, -2, 3}, {3, 1});
  const Velocity decay = [](const Tensor& x, const Tensor&) { return -x; };
  const Tensor ten = solve(decay, x_0, uniform_grid(0, 1, 10), kEuler).x;
  EXPECT_LT(largest(ten - std::pow(0.9, 10) * x_0), 1e-5);
  const Tensor many = solve(decay, x_0, uniform_grid(0, 1, 2000), kEuler).x;
  EXPECT_LT(largest(many - std::exp(-1) * x_0), 1e-3);
}

TEST(Exercises, EulerSpiralsOutOfACircle) {
  const Velocity rotation = [](const Tensor& x, const Tensor&) { return turned(x); };
  const Tensor x_0 = Tensor::from({3, 4}, {1, 2});
  const Tensor x = solve(rotation, x_0, uniform_grid(0, 1, 10), kEuler).x;
  EXPECT_NEAR(number(radius(x)), 5 * std::pow(1 + 0.01, 5), 1e-4);
}

TEST(Exercises, StretchingWidensTheGaussian) {
  // u = a x takes N(0, I) to N(0, e^(2a) I).
  constexpr double kRate = 0.7;
  const Velocity stretch = [](const Tensor& x, const Tensor&) { return kRate * x; };
  Generator rng(1);
  const Tensor x = Tensor::randn({20, 3}, rng);
  const Tensor expected =
      -0.5 * std::exp(-2 * kRate) * sum(square(x), {.axes = {1}}) - 3 * kRate - 1.5 * std::log(2 * std::numbers::pi);
  EXPECT_LT(largest(log_likelihood(stretch, x).log_p - expected), 1e-3);
}

TEST(Exercises, TurningLeavesTheGaussian) {
  const Velocity rotation = [](const Tensor& x, const Tensor&) { return 2 * turned(x); };
  Generator rng(2);
  const Tensor x = Tensor::randn({20, 2}, rng);
  EXPECT_LT(largest(log_likelihood(rotation, x).log_p - standard_normal_log_density(x)), 1e-3);
}

TEST(Exercises, TheConditionalPathIsGaussian) {
  // Mean t x_1, deviation 1 - t.
  constexpr Index kPoints = 20'000;
  Generator rng(3);
  const Tensor x_1 = broadcast_to(Tensor::from({2, -1}, {1, 2}), {kPoints, 2}), t = Tensor::full({kPoints}, 0.75);
  const Tensor x_t = make_path({}).sample(Tensor::randn({kPoints, 2}, rng), x_1, t).x_t;
  const Tensor mean_of = mean(x_t, {.axes = {0}});
  EXPECT_NEAR(static_cast<double>(mean_of.data()[0]), 1.5, 0.01);
  EXPECT_NEAR(static_cast<double>(mean_of.data()[1]), -0.75, 0.01);
  EXPECT_NEAR(std::sqrt(number(mean(square(x_t - mean_of)))), 0.25, 0.01);
}

TEST(Exercises, TheFieldOfOnePointPointsAtIt) {
  // u_t(x | x_1) = (x_1 - x) / (1 - t) on the straight path.
  const Tensor x_1 = Tensor::from({2, -1}, {1, 2});
  const EmpiricalMarginal marginal(x_1, std::make_shared<CondOtScheduler>());
  Generator rng(4);
  const Tensor x = Tensor::randn({10, 2}, rng);
  EXPECT_LT(largest(marginal.velocity(x, Tensor::full({10}, 0.75)) - (x_1 - x) / 0.25), 1e-4);
}

TEST(Exercises, AtTheStartTheFieldPointsAtTheMean) {
  const Tensor data = Tensor::from({1, 2, 3, 0, -1, 4}, {3, 2});
  const EmpiricalMarginal marginal(data, std::make_shared<CondOtScheduler>());
  Generator rng(5);
  const Tensor x = Tensor::randn({10, 2}, rng);
  EXPECT_LT(largest(marginal.velocity(x, Tensor::zeros({10})) - (mean(data, {.axes = {0}}) - x)), 1e-5);
}

TEST(Exercises, TwoPointsMakeATangent) {
  // Of the points 1 and -1, E[x_1 | x_t = x] = tanh(t x / (1 - t)^2), and u = (E[x_1 | x] - x) / (1 - t).
  const EmpiricalMarginal marginal(Tensor::from({1, -1}, {2, 1}), std::make_shared<CondOtScheduler>());
  constexpr double kTime = 0.4;
  for (const double x : {-1.5, -0.2, 0.0, 0.7}) {
    const double mean_of = std::tanh(kTime * x / ((1 - kTime) * (1 - kTime)));
    const Tensor u = marginal.velocity(Tensor::full({1, 1}, x), Tensor::full({1}, kTime));
    EXPECT_NEAR(number(u), (mean_of - x) / (1 - kTime), 1e-4);
  }
}

// The mean of (v - (x_1 - x_0))^2 for data N(0, s^2), by samples.
template <class V>
double loss_of(double s, const V& v) {
  constexpr Index kPoints = 400'000;
  Generator rng(6);
  const Tensor x_1 = s * Tensor::randn({kPoints}, rng), x_0 = Tensor::randn({kPoints}, rng);
  const Tensor t = Tensor::rand({kPoints}, rng);
  return number(mean(square(v(t * x_1 + (1 - t) * x_0, t) - (x_1 - x_0))));
}

TEST(Exercises, TheFloorOfGaussianData) {
  // E[x_1 - x_0 | x_t = x] = (t s^2 - (1 - t)) / (t^2 s^2 + (1 - t)^2) x; the loss is pi/2 s.
  constexpr double kSpread = 0.5;
  const double loss = loss_of(kSpread, [](const Tensor& x, const Tensor& t) {
    const double s2 = kSpread * kSpread;
    return (s2 * t - (1 - t)) / (s2 * square(t) + square(1 - t)) * x;
  });
  EXPECT_NEAR(loss, std::numbers::pi / 2 * kSpread, 0.01);
}

TEST(Exercises, TheLossOfTheBestConstant) {
  // It is the variance of x_1 - x_0, s^2 + 1.
  EXPECT_NEAR(loss_of(0.5, [](const Tensor& x, const Tensor&) { return 0 * x; }), 1.25, 0.02);
}

TEST(Exercises, NoiseAndDataFromTheVelocity) {
  // On the straight path x_1 = x + (1 - t) u and x_0 = x - t u.
  Generator rng(7);
  const CondOtScheduler scheduler;
  const Tensor x = Tensor::randn({5, 2}, rng), u = Tensor::randn({5, 2}, rng), t = Tensor::full({5}, 0.25);
  EXPECT_LT(largest(convert(u, Prediction::kVelocity, Prediction::kData, x, t, scheduler) - (x + 0.75 * u)), 1e-5);
  EXPECT_LT(largest(convert(u, Prediction::kVelocity, Prediction::kNoise, x, t, scheduler) - (x - 0.25 * u)), 1e-5);
}

TEST(Exercises, TheScoreFromTheVelocity) {
  // The score is -x_0 / (1 - t) = -(x - t u) / (1 - t).
  Generator rng(8);
  const CondOtScheduler scheduler;
  const Tensor x = Tensor::randn({5, 2}, rng), u = Tensor::randn({5, 2}, rng), t = Tensor::full({5}, 0.25);
  const Tensor score = convert(u, Prediction::kVelocity, Prediction::kScore, x, t, scheduler);
  EXPECT_LT(largest(score + (x - 0.25 * u) / 0.75), 1e-5);
}

// The error at t = 1 on u = -x with this many steps.
double error_on_decay(const Tableau& method, Index steps) {
  const Velocity decay = [](const Tensor& x, const Tensor&) { return -x; };
  return std::abs(number(solve(decay, Tensor::ones({1, 1}), uniform_grid(0, 1, steps), method).x) - std::exp(-1));
}

TEST(Exercises, TwiceTheSteps) {
  EXPECT_NEAR(error_on_decay(kEuler, 10) / error_on_decay(kEuler, 20), 2, 0.1);
  EXPECT_NEAR(error_on_decay(kHeun2, 10) / error_on_decay(kHeun2, 20), 4, 0.3);
}

TEST(Exercises, OneStepIsExactOnALine) {
  // To one data point the conditional field moves every point along a line, at constant speed.
  const EmpiricalMarginal marginal(Tensor::from({2, -1}, {1, 2}), std::make_shared<CondOtScheduler>());
  Generator rng(9);
  const Velocity velocity = [&](const Tensor& x, const Tensor& t) { return marginal.velocity(x, t); };
  const Tensor end = solve(velocity, Tensor::randn({10, 2}, rng), {0, 1}, kEuler).x;
  EXPECT_LT(largest(end - Tensor::from({2, -1}, {1, 2})), 1e-5);
}

TEST(Exercises, TheDensityOfAShift) {
  // u = m moves N(0, I) to N(m, I): the divergence is 0, and ln p_1(x) = ln p_0(x - m).
  const Tensor m = Tensor::from({1, -2}, {1, 2});
  const Velocity shift = [&](const Tensor& x, const Tensor&) { return broadcast_to(m, x.shape()) + 0 * x; };
  Generator rng(10);
  const Tensor x = Tensor::randn({10, 2}, rng);
  EXPECT_LT(largest(log_likelihood(shift, x).log_p - standard_normal_log_density(x - m)), 1e-4);
}

TEST(Exercises, UnitsShiftTheLogDensity) {
  // y = c x has ln p(y) = ln p(x) - d ln c: nats depend on the units. Here c = e, d = 2.
  const Velocity stretch = [](const Tensor& x, const Tensor&) { return x; };
  Generator rng(11);
  const Tensor x = Tensor::randn({10, 2}, rng);
  const Tensor in_new_units = log_likelihood(stretch, std::exp(1) * x).log_p;
  EXPECT_LT(largest(in_new_units - (standard_normal_log_density(x) - 2)), 2e-3);
}

}  // namespace
}  // namespace rill::flow
