// Divergences, likelihoods and bits per dimension, where the answer is known.
#include "flow/likelihood.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "flow/dequantisation.hpp"
#include "flow/generate.hpp"
#include "flow/marginal.hpp"
#include "flow/path.hpp"
#include "flow/velocity_divergence.hpp"
#include "nn/model.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
constexpr bool kDouble = sizeof(Real) == 8;

// N(0, I) to N(m, s^2 I) on the straight path: u_t(x) = m + ((t s^2 - (1 - t)) / ((1 - t)^2 + t^2 s^2)) (x - t m)
Velocity two_gaussians(double m, double s) {
  return [=](const Tensor& x, const Tensor& t) {
    const Tensor time = per_sample(t, x.rank());
    const Tensor slope = (time * (s * s) - (1 - time)) / (square(1 - time) + square(time) * (s * s));
    return slope * (x - time * m) + m;
  };
}

// ln N(x; m, s^2 I)
Tensor normal_log_density(const Tensor& x, double m, double s) {
  const double dimension = static_cast<double>(x.size() / x.dim(0));
  return standard_normal_log_density((x - m) / s) - dimension * std::log(s);
}

// u = x A^T with a full matrix: the divergence is tr A everywhere, the symmetric part decides the probes' scatter.
Velocity linear_field(const Tensor& a) {
  return [=](const Tensor& x, const Tensor&) { return matmul(x, a, {.b = true}); };
}

std::shared_ptr<nn::VelocityModel> small_model(Index dimension, Index classes = 0) {
  Generator rng(1);
  return nn::make_model({.dimension = dimension, .hidden = {16, 16}, .activation = "tanh", .classes = classes}, rng);
}

double at(const Tensor& x, Index i) { return static_cast<double>(x.data()[i]); }

TEST(Divergence, OfANetworkIsThatOfFiniteDifferences) {
  const auto model = small_model(3);
  const Velocity u = velocity_of(*model);
  Generator rng(2);
  const Tensor x = Tensor::randn({5, 3}, rng), t = Tensor::rand({5}, rng);
  const NoGrad no_grad;
  const auto [velocity, divergence] = velocity_and_divergence(u, x, t);
  ASSERT_EQ(divergence.shape(), (Shape{5, 1}));
  EXPECT_FALSE(velocity.requires_grad() || divergence.requires_grad());
  const double h = kDouble ? 1e-5 : 1e-2;  // the error is O(h^2) + rounding / h
  Tensor expected = Tensor::zeros({5, 1});
  for (Index d = 0; d < 3; ++d) {
    Tensor step = Tensor::zeros({3});
    step.data()[d] = static_cast<Real>(h);
    expected = expected + slice(u(x + step, t) - u(x - step, t), 1, d, d + 1) / (2 * h);
  }
  const Tensor exact = u(x, t);
  for (Index i = 0; i < 15; ++i) EXPECT_NEAR(at(velocity, i), at(exact, i), 1e-6);
  for (Index i = 0; i < 5; ++i) EXPECT_NEAR(at(divergence, i), at(expected, i), kDouble ? 1e-9 : 2e-4);
}

TEST(Divergence, OfAFieldThatDoesNotDependOnThePointIsZero) {
  const Velocity constant = [](const Tensor& x, const Tensor&) { return Tensor::ones(x.shape()); };
  Generator rng(3);
  const Tensor x = Tensor::randn({2, 3, 2}, rng), t = Tensor::zeros({2});
  EXPECT_EQ(at(velocity_and_divergence(constant, x, t).divergence, 1), 0);
  const auto probes = draw_probes(Trace::kRademacher, 4, x.shape(), rng);
  EXPECT_EQ(velocity_and_divergence(constant, x, t, probes).divergence.shape(), (Shape{2, 4}));
}

TEST(Divergence, CanBeDifferentiatedAgain) {
  Generator rng(4);
  const Tensor t = Tensor::zeros({3});
  const Velocity field = [](const Tensor& x, const Tensor&) { return sin(x) * sum(x, {.axes = {1}, .keep = true}); };
  rill::testing::expect_gradients(
      [&](const std::vector<Tensor>& x) {
        const auto [u, divergence] = velocity_and_divergence(field, x[0], t);
        return divergence * u;
      },
      {Tensor::randn({3, 2}, rng)});
}

TEST(Divergence, ProbesHaveTheirStatedVariance) {
  const Tensor a = Tensor::from({1, 0.5, -1, 0.2, 2, 0.7, 0.4, -0.3, -1.5}, {3, 3});
  double off_diagonal = 0, all = 0;  // sums of S_ij^2, S the symmetric part
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) {
      const double s = (at(a, 3 * i + j) + at(a, 3 * j + i)) / 2;
      all += s * s;
      if (i != j) off_diagonal += s * s;
    }
  }
  Generator rng(5);
  const Index n = 100'000;
  const Tensor x = Tensor::zeros({n, 3}), t = Tensor::zeros({n});
  for (const Trace kind : {Trace::kRademacher, Trace::kGaussian}) {
    const auto probes = draw_probes(kind, 1, x.shape(), rng);
    const Tensor estimates = velocity_and_divergence(linear_field(a), x, t, probes).divergence.detach();
    const double variance = 2 * (kind == Trace::kRademacher ? off_diagonal : all);
    EXPECT_NEAR(mean(estimates).item(), 1.5, 5 * std::sqrt(variance / static_cast<double>(n)));
    // The variance of a sample variance is (kurtosis - 1) variance^2 / n; 12 bounds a quadratic form's kurtosis here.
    EXPECT_NEAR(mean(square(estimates - 1.5)).item(), variance, 5 * variance * std::sqrt(11 / static_cast<double>(n)));
  }
}

TEST(Divergence, MisuseIsExplained) {
  Generator rng(6);
  const Velocity still = [](const Tensor& x, const Tensor&) { return x; };
  const Tensor x = Tensor::zeros({2, 2}), t = Tensor::zeros({2});
  EXPECT_THAT(misuse([&] { velocity_and_divergence(still, x, Tensor::zeros({3})); }), HasSubstr("[2, 2] and [3]"));
  EXPECT_THAT(misuse([&] { velocity_and_divergence(still, x, t, {Tensor::zeros({2, 3})}); }), HasSubstr("[2, 3]"));
  EXPECT_THAT(misuse([&] { draw_probes(Trace::kExact, 1, {2}, rng); }), HasSubstr("ask for Rademacher or Gaussian"));
  EXPECT_THAT(misuse([&] { draw_probes(Trace::kGaussian, 0, {2}, rng); }), HasSubstr("at least 1, got 0"));
}

TEST(Likelihood, OfTwoGaussiansIsExact) {
  const double m = 3, s = 0.5;
  Generator rng(7);
  const Tensor x_1 = m + s * Tensor::randn({40, 2}, rng);
  const Likelihood found = log_likelihood(two_gaussians(m, s), x_1, {.integrator = fixed_steps(kRk4, 400)});
  const Tensor expected = normal_log_density(x_1, m, s);
  EXPECT_EQ(found.evaluations, 1600);
  for (Index i = 0; i < 40; ++i) {
    EXPECT_NEAR(at(found.log_p, i), at(expected, i), kDouble ? 1e-6 : 2e-4);
    EXPECT_EQ(at(found.standard_error, i), 0);
  }
  const Tensor x_0 = (x_1 - m) / s;  // the flow is x_1 = m + s x_0
  for (Index i = 0; i < 80; ++i) EXPECT_NEAR(at(found.x_0, i), at(x_0, i), kDouble ? 1e-6 : 2e-4);
}

TEST(Likelihood, TakesAnySourceAndAnyShape) {
  // u = 0.7 x carries N(1, 1) to N(e^0.7, e^1.4).
  const Velocity growth = [](const Tensor& x, const Tensor&) { return 0.7 * x; };
  Generator rng(8);
  const Tensor x_1 = Tensor::randn({3, 2, 2}, rng);
  LikelihoodOptions options;
  options.source = [](const Tensor& x) { return normal_log_density(x, 1, 1); };
  const Tensor log_p = log_likelihood(growth, x_1, options).log_p;
  const Tensor expected = normal_log_density(x_1, std::exp(0.7), std::exp(0.7));
  for (Index i = 0; i < 3; ++i) EXPECT_NEAR(at(log_p, i), at(expected, i), kDouble ? 1e-6 : 1e-4);
}

TEST(Likelihood, OfAFiniteDataSetIsItsMixture) {
  // The exact marginal of two points with sigma_min = 0.3 ends in a mixture of two Gaussians. Its velocity, in ops:
  const double centre = 1, low = 0.3;
  const Velocity u = [=](const Tensor& x, const Tensor& t) {
    const Tensor time = per_sample(t, 2), sigma = 1 - (1 - low) * time;
    // E[x_1 | x] of +-1 is tanh(alpha x / sigma^2)
    const Tensor mean_data = centre * tanh(time * x * centre / square(sigma));
    return mean_data - (1 - low) * (x - time * mean_data) / sigma;
  };
  const Tensor data = Tensor::from({-1, 1}, {2, 1}), x_1 = Tensor::linspace(-2, 2, 9);
  const EmpiricalMarginal marginal(data, std::make_shared<CondOtScheduler>(low));
  const Tensor points = reshape(x_1, {9, 1});
  const Tensor expected = marginal.log_density(points, Tensor::ones({9}));
  const Likelihood found = log_likelihood(u, points, {.integrator = fixed_steps(kRk4, 200)});
  for (Index i = 0; i < 9; ++i) EXPECT_NEAR(at(found.log_p, i), at(expected, i), kDouble ? 1e-6 : 1e-4);
}

TEST(Likelihood, ByProbesIsUnbiasedWithItsStandardError) {
  // A linear flow: ln p_1 = ln p_0 - tr A, and the estimates scatter by the probes' variance.
  const Tensor a = Tensor::from({0.3, 0.8, -0.2, -0.4}, {2, 2});
  const Index n = 4000, probes = 8;
  const Tensor x_1 = broadcast_to(Tensor::from({0.5, -1}, {1, 2}), {n, 2});
  const double exact = at(log_likelihood(linear_field(a), slice(x_1, 0, 0, 1)).log_p, 0);
  const double s = (0.8 - 0.2) / 2;  // the symmetric part, off the diagonal
  const double error = std::sqrt(2 * 2 * s * s / static_cast<double>(probes));
  const Likelihood found =
      log_likelihood(linear_field(a), x_1, {.trace = Trace::kRademacher, .probes = probes, .seed = 9});
  EXPECT_NEAR(mean(found.log_p).item(), exact, 5 * error / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(mean(square(found.log_p - exact)).item()), error, 0.05 * error);
  EXPECT_NEAR(std::sqrt(mean(square(found.standard_error)).item()), error, 0.05 * error);
  const Likelihood one = log_likelihood(linear_field(a), slice(x_1, 0, 0, 2), {.trace = Trace::kGaussian, .seed = 9});
  EXPECT_TRUE(std::isnan(one.standard_error.data()[0])) << "one probe tells nothing of its scatter";
}

TEST(Likelihood, DoesNotDependOnThreadsOrGroups) {
  const auto model = small_model(2, 3);
  Generator rng(10);
  const Index n = 1203;
  const Tensor x_1 = Tensor::randn({n, 2}, rng);
  const Indices labels(rng.integers(n, 3));
  const LikelihoodOptions options{
      .integrator = fixed_steps(kMidpoint, 2), .trace = Trace::kRademacher, .probes = 2, .seed = 11};
  const int threads = thread_count();
  set_thread_count(1);
  const Likelihood serial = log_likelihood(*model, x_1, labels, options);
  set_thread_count(3);
  const Likelihood parallel = log_likelihood(*model, x_1, labels, options);
  set_thread_count(threads);
  EXPECT_EQ(serial.log_p.to_vector(), parallel.log_p.to_vector());
  EXPECT_EQ(serial.standard_error.to_vector(), parallel.standard_error.to_vector());
  // Each point has the likelihood that it has alone, under its own label.
  const Likelihood last = log_likelihood(*model, slice(x_1, 0, n - 1, n), Indices({labels[n - 1]}),
                                         {.integrator = fixed_steps(kMidpoint, 2)});
  const Likelihood all = log_likelihood(*model, x_1, labels, {.integrator = fixed_steps(kMidpoint, 2)});
  EXPECT_NEAR(at(all.log_p, n - 1), at(last.log_p, 0), 1e-5);
}

TEST(Likelihood, TakesAnAdaptiveSolver) {
  const double m = 3, s = 0.5;
  Generator rng(15);
  const Tensor x_1 = m + s * Tensor::randn({20, 2}, rng);
  const Tensor expected = normal_log_density(x_1, m, s);
  const Tolerance tolerance{.rtol = kDouble ? 1e-9 : 1e-6, .atol = kDouble ? 1e-9 : 1e-6};
  for (const bool per_sample : {false, true}) {
    const Likelihood found = log_likelihood(
        two_gaussians(m, s), x_1, {.integrator = adaptive_steps({.tolerance = tolerance, .per_sample = per_sample})});
    EXPECT_GT(found.evaluations, 6);
    for (Index i = 0; i < 20; ++i) EXPECT_NEAR(at(found.log_p, i), at(expected, i), kDouble ? 1e-6 : 1e-4);
  }
}

TEST(Likelihood, ProbesAndLabelsFollowTheRowsThatLeave) {
  const auto model = small_model(2, 3);
  Generator rng(16);
  const Index n = 30;
  const Tensor x_1 = 3 * Tensor::randn({n, 2}, rng);
  const Indices labels(rng.integers(n, 3));
  const Tolerance tolerance{.rtol = 1e-4, .atol = 1e-4};
  LikelihoodOptions options{.integrator = adaptive_steps({.tolerance = tolerance, .per_sample = true}),
                            .trace = Trace::kGaussian,
                            .probes = 2,
                            .seed = 17};
  const Likelihood adaptive = log_likelihood(*model, x_1, labels, options);
  options.integrator = fixed_steps(kRk4, 20);
  const Likelihood fixed = log_likelihood(*model, x_1, labels, options);
  for (Index i = 0; i < n; ++i) {
    EXPECT_NEAR(at(adaptive.log_p, i), at(fixed.log_p, i), 2e-3) << "the same probes and labels, row " << i;
    EXPECT_NEAR(at(adaptive.standard_error, i), at(fixed.standard_error, i), 2e-3);
  }
}

TEST(Likelihood, CanBeMaximised) {
  // u = c x: ln p_1(x) = -x^2 e^(-2 c) / 2 - c - ln(2 pi) / 2, whose derivative with respect to c is x^2 e^(-2c) - 1.
  Tensor c = Tensor::scalar(0.4);
  c.set_requires_grad();
  const Velocity u = [&](const Tensor& x, const Tensor&) { return c * x; };
  const Tensor log_p = differentiable_log_likelihood(u, Tensor::from({1.5}, {1, 1}));
  sum(log_p).backward();
  EXPECT_NEAR(c.grad().item(), 1.5 * 1.5 * std::exp(-0.8) - 1, 1e-5);
  EXPECT_FALSE(log_likelihood(u, Tensor::from({1.5}, {1, 1})).log_p.requires_grad());
}

TEST(Likelihood, MisuseIsExplained) {
  const Velocity u = two_gaussians(0, 1);
  const Tensor x = Tensor::zeros({2, 2});
  EXPECT_THAT(misuse([&] { log_likelihood(u, x, {.integrator = fixed_steps(kEuler, 1)}); }),
              HasSubstr("a discrete step has no instantaneous change of variables; take more steps"));
  EXPECT_THAT(misuse([&] { log_likelihood(u, Tensor::zeros({2})); }), HasSubstr("expected points [N, ...]"));
  EXPECT_THAT(misuse([&] { log_likelihood(u, x, {.trace = Trace::kGaussian, .probes = 0}); }), HasSubstr("got 0"));
  EXPECT_THAT(misuse([&] { log_likelihood(*small_model(2, 3), x, Indices({1})); }), HasSubstr("1 labels for 2"));
  EXPECT_THAT(misuse([&] { fixed_steps(kRk4, 0); }), HasSubstr("at least 1, got 0"));
  LikelihoodOptions options;
  options.source = [](const Tensor& points) { return points; };
  EXPECT_THAT(misuse([&] { log_likelihood(u, x, options); }), HasSubstr("expected [2]"));
}

TEST(BitsPerDimension, OfAUniformDensityIsEight) {
  Generator rng(12);
  const Tensor levels = Tensor::from({0, 17, 255, 128, 3, 254}, {2, 3});
  const LogDensity uniform = [](const Tensor& y) {
    for (const Real value : y.values()) EXPECT_TRUE(-1 <= value && value <= 1);
    return Tensor::full({y.dim(0)}, -3 * std::log(2.0));
  };
  const BitsPerDimension found = bits_per_dimension(uniform, levels, 3, rng);
  EXPECT_NEAR(found.mean, 8, 1e-6);
  EXPECT_NEAR(found.standard_error, 0, 1e-6);
}

TEST(BitsPerDimension, MoreDrawsComeCloserToTheProbabilityOfTheCell) {
  // A normal density as narrow as a cell: P(k) by the error function.
  const double s = 2.0 / 256, centre = 0.1;
  const LogDensity narrow = [=](const Tensor& y) { return normal_log_density(y, centre, s); };
  const Index n = 4000;
  const double level = 142, low = 2 * level / 256 - 1, high = low + 2.0 / 256;
  const auto distribution = [&](double y) { return std::erfc((centre - y) / (s * std::numbers::sqrt2)) / 2; };
  const double exact = -std::log2(distribution(high) - distribution(low));
  const Tensor levels = Tensor::full({n, 1}, level);
  Generator rng(13);
  const BitsPerDimension one = bits_per_dimension(narrow, levels, 1, rng);
  const BitsPerDimension many = bits_per_dimension(narrow, levels, 64, rng);
  EXPECT_GT(one.mean, exact + 5 * one.standard_error) << "one draw only gives a bound";
  EXPECT_GT(one.mean - exact, 10 * std::abs(many.mean - exact));
  EXPECT_NEAR(many.mean, exact, 5 * many.standard_error + 0.01);
}

TEST(BitsPerDimension, LevelsAndCells) {
  Tensor levels = Tensor::empty({1, 256});
  for (Index k = 0; k < 256; ++k) levels.data()[k] = static_cast<Real>(k);
  const Tensor back = levels_of(levels / 127.5 - 1);
  EXPECT_EQ(back.to_vector(), levels.to_vector());
  Generator rng(14);
  const Tensor y = dequantise(levels, rng);
  for (Index k = 0; k < 256; ++k) EXPECT_EQ(std::floor((at(y, k) + 1) * 128), static_cast<double>(k));
  const LogDensity any = [](const Tensor& points) { return Tensor::zeros({points.dim(0)}); };
  EXPECT_THAT(misuse([&] { dequantise(Tensor::full({1, 1}, 0.5), rng); }), HasSubstr("found 0.5; levels_of()"));
  EXPECT_THAT(misuse([&] { dequantise(Tensor::full({1, 1}, 256), rng); }), HasSubstr("0 to 255"));
  EXPECT_THAT(misuse([&] { bits_per_dimension(any, levels, 0, rng); }), HasSubstr("at least 1 draw"));
  EXPECT_THAT(misuse([&] { bits_per_dimension(any, Tensor::zeros({0, 2}), 1, rng); }), HasSubstr("[0, 2]"));
}

}  // namespace
}  // namespace rill::flow
