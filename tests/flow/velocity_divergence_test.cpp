// Divergences of velocities, exact and by random probes.
#include "flow/solver/velocity_divergence.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/model/dynamics.hpp"
#include "nn/time_networks.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
constexpr bool kDouble = sizeof(Real) == 8;

double at(const Tensor& x, Index i) { return static_cast<double>(x.data()[i]); }

TEST(Divergence, OfANetworkIsThatOfFiniteDifferences) {
  Generator rng(2);
  const auto model = nn::make_time_network({.dimension = 3, .hidden = {16, 16}, .activation = "tanh"}, rng);
  const Velocity u = with_labels(velocity_of(model), {});
  const Tensor x = Tensor::randn({5, 3}, rng), t = Tensor::rand({5}, rng);
  const NoGrad no_grad;
  const auto [velocity, divergence, none] = velocity_and_divergence(u, x, t);
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
        const auto [u, divergence, none] = velocity_and_divergence(field, x[0], t);
        return divergence * u;
      },
      {Tensor::randn({3, 2}, rng)});
}

// u = x A^T with a full matrix: the divergence is tr A everywhere, the symmetric part decides the probes' scatter.
Velocity linear_field(const Tensor& a) {
  return [=](const Tensor& x, const Tensor&) { return matmul(x, a, {.b = true}); };
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
  EXPECT_THAT(misuse([&] { draw_probes(Trace::kExact, 1, {2}, rng); }), HasSubstr("use Rademacher or Gaussian"));
  EXPECT_THAT(misuse([&] { draw_probes(Trace::kGaussian, 0, {2}, rng); }), HasSubstr("at least 1, got 0"));
}

}  // namespace
}  // namespace rill::flow
