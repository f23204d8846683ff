// Likelihoods where the answer is known.
#include "flow/metrics/likelihood.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "flow/model/dynamics.hpp"
#include "flow/path/marginal.hpp"
#include "flow/path/path.hpp"
#include "nn/time_networks.hpp"
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

std::shared_ptr<nn::TimeNetwork> small_model(Index dimension, Index classes = 0) {
  Generator rng(1);
  return nn::make_time_network({.dimension = dimension, .hidden = {16, 16}, .activation = "tanh", .classes = classes},
                               rng);
}

double at(const Tensor& x, Index i) { return static_cast<double>(x.data()[i]); }

TEST(Likelihood, OfTwoGaussiansIsExact) {
  const double m = 3, s = 0.5;
  Generator rng(7);
  const Tensor x_1 = m + s * Tensor::randn({40, 2}, rng);
  const Likelihood found = log_likelihood(two_gaussians(m, s), x_1, {.solver = FixedSteps{&kRk4, 400}});
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
  const double center = 1, low = 0.3;
  const Velocity u = [=](const Tensor& x, const Tensor& t) {
    const Tensor time = per_sample(t, 2), sigma = 1 - (1 - low) * time;
    // E[x_1 | x] of +-1 is tanh(alpha x / sigma^2)
    const Tensor mean_data = center * tanh(time * x * center / square(sigma));
    return mean_data - (1 - low) * (x - time * mean_data) / sigma;
  };
  const Tensor data = Tensor::from({-1, 1}, {2, 1}), x_1 = Tensor::linspace(-2, 2, 9);
  const EmpiricalMarginal marginal(data, std::make_shared<CondOtScheduler>(low));
  const Tensor points = reshape(x_1, {9, 1});
  const Tensor expected = marginal.log_density(points, Tensor::ones({9}));
  const Likelihood found = log_likelihood(u, points, {.solver = FixedSteps{&kRk4, 200}});
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
  EXPECT_TRUE(std::isinf(one.standard_error.data()[0])) << "one probe tells nothing of its scatter";
}

TEST(Likelihood, DoesNotDependOnThreadsOrGroups) {
  const auto model = small_model(2, 3);
  Generator rng(10);
  const Index n = 1203;
  const Tensor x_1 = Tensor::randn({n, 2}, rng);
  const Indices labels(rng.integers(n, 3));
  const LikelihoodOptions options{
      .solver = FixedSteps{&kMidpoint, 2}, .trace = Trace::kRademacher, .probes = 2, .seed = 11};
  const int threads = thread_count();
  set_thread_count(1);
  const Likelihood serial = log_likelihood(velocity_of(model), x_1, labels, options);
  set_thread_count(3);
  const Likelihood parallel = log_likelihood(velocity_of(model), x_1, labels, options);
  set_thread_count(threads);
  EXPECT_EQ(serial.log_p.to_vector(), parallel.log_p.to_vector());
  EXPECT_EQ(serial.standard_error.to_vector(), parallel.standard_error.to_vector());
  // Each point has the same likelihood as alone, with its own label.
  const Likelihood all = log_likelihood(velocity_of(model), x_1, labels, {.solver = FixedSteps{&kMidpoint, 2}});
  for (Index i = n - 20; i < n; ++i) {
    const Likelihood alone = log_likelihood(velocity_of(model), slice(x_1, 0, i, i + 1), Indices({labels[i]}),
                                            {.solver = FixedSteps{&kMidpoint, 2}});
    EXPECT_NEAR(at(all.log_p, i), at(alone.log_p, 0), 1e-5) << "row " << i;
  }
}

TEST(Likelihood, TakesAnAdaptiveSolver) {
  const double m = 3, s = 0.5;
  Generator rng(15);
  const Tensor x_1 = m + s * Tensor::randn({20, 2}, rng);
  const Tensor expected = normal_log_density(x_1, m, s);
  const Tolerance tolerance{.rtol = kDouble ? 1e-9 : 1e-6, .atol = kDouble ? 1e-9 : 1e-6};
  for (const bool per_sample : {false, true}) {
    const Likelihood found = log_likelihood(
        two_gaussians(m, s), x_1, {.solver = AdaptiveOptions{.tolerance = tolerance, .per_sample = per_sample}});
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
  LikelihoodOptions options{.solver = AdaptiveOptions{.tolerance = tolerance, .per_sample = true},
                            .trace = Trace::kGaussian,
                            .probes = 2,
                            .seed = 17};
  const Likelihood adaptive = log_likelihood(velocity_of(model), x_1, labels, options);
  options.solver = FixedSteps{&kRk4, 20};
  const Likelihood fixed = log_likelihood(velocity_of(model), x_1, labels, options);
  for (Index i = 0; i < n; ++i) {
    EXPECT_NEAR(at(adaptive.log_p, i), at(fixed.log_p, i), 2e-3) << "the same probes and labels, row " << i;
    EXPECT_NEAR(at(adaptive.standard_error, i), at(fixed.standard_error, i), 2e-3);
  }
}

TEST(Likelihood, MisuseIsExplained) {
  const Velocity u = two_gaussians(0, 1);
  const Tensor x = Tensor::zeros({2, 2});
  EXPECT_THAT(misuse([&] {
                log_likelihood(u, x, {.solver = FixedSteps{&kEuler, 1}});
              }),
              HasSubstr("the instantaneous change of variables does not hold; take more steps"));
  EXPECT_THAT(misuse([&] { log_likelihood(u, Tensor::zeros({2})); }), HasSubstr("expected points [N, ...]"));
  EXPECT_THAT(misuse([&] { log_likelihood(u, x, {.trace = Trace::kGaussian, .probes = 0}); }), HasSubstr("got 0"));
  EXPECT_THAT(misuse([&] { log_likelihood(velocity_of(small_model(2, 3)), x, Indices({1})); }),
              HasSubstr("1 labels for 2"));
  EXPECT_THAT(misuse([&] {
                log_likelihood(u, x, {.solver = FixedSteps{&kRk4, 0}});
              }),
              HasSubstr("at least 1 step, got 0"));
  LikelihoodOptions options;
  options.source = [](const Tensor& points) { return points; };
  EXPECT_THAT(misuse([&] { log_likelihood(u, x, options); }), HasSubstr("expected [2]"));
}

}  // namespace
}  // namespace rill::flow
