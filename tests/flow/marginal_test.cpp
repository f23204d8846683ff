// The exact marginal of a finite data set, compared with the conditional path, its regression and its data.
#include "flow/path/marginal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/path/path.hpp"
#include "flow/path/scheduler.hpp"
#include "flow/solver/ode.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
constexpr bool kDouble = sizeof(Real) == 8;

Tensor annulus_points(Index n) {
  Generator rng(5);
  const Tensor angle = 2 * std::numbers::pi * Tensor::rand({n, 1}, rng), radius = 2 + Tensor::rand({n, 1}, rng);
  return concatenate({radius * cos(angle), radius * sin(angle)}, 1);
}

TEST(EmpiricalMarginal, OfOnePointIsTheConditionalPath) {
  const auto scheduler = std::make_shared<CosineScheduler>();
  const Tensor x_1 = Tensor::from({2, -1}, {1, 2}), x_0 = Tensor::from({0.5, 1}, {1, 2}), t = Tensor::from({0.3}, {1});
  const PathSample s = AffinePath(make_scheduler({.name = "cosine"})).sample(x_0, x_1, t);
  const EmpiricalMarginal marginal(x_1, scheduler);
  const Tensor velocity = marginal.velocity(s.x_t, t);
  EXPECT_NEAR(velocity.data()[0], s.dx_t.data()[0], 1e-5);
  EXPECT_NEAR(velocity.data()[1], s.dx_t.data()[1], 1e-5);
  const double sigma = scheduler->at(0.3).sigma;
  const double expected = -0.5 * (0.25 + 1) - 2 * std::log(sigma) - std::log(2 * std::numbers::pi);
  EXPECT_NEAR(marginal.log_density(s.x_t, t).item(), expected, 1e-5);
}

TEST(EmpiricalMarginal, IsTheLeastSquaresVelocity) {
  // No other field has a smaller loss on the same data: shifting or scaling the exact one costs the square of the
  // change.
  const Tensor data = annulus_points(50);
  const auto scheduler = std::make_shared<CondOtScheduler>(0.1);
  const EmpiricalMarginal marginal(data, scheduler);
  const AffinePath path(make_scheduler({.sigma_min = 0.1}));
  Generator rng(6);
  const Index n = 40'000;
  const Tensor x_1 = gather_rows(data, Indices(rng.integers(n, 50)));
  const PathSample s = path.sample(Tensor::randn({n, 2}, rng), x_1, Tensor::rand({n}, rng));
  const Tensor u = marginal.velocity(s.x_t, s.t);
  const Tensor residual = s.dx_t - u;
  // E[residual] = 0 and E[residual . u] = 0, within five standard errors
  EXPECT_NEAR(mean(residual).item(), 0, 5 * std::sqrt(mean(square(residual)).item() / static_cast<double>(2 * n)));
  EXPECT_NEAR(mean(residual * u).item(), 0, 5 * std::sqrt(mean(square(residual * u)).item() / static_cast<double>(n)));
}

TEST(EmpiricalMarginal, ItsWeightsMakeItsVelocity) {
  const Tensor data = annulus_points(20);
  const auto scheduler = std::make_shared<CondOtScheduler>(0.1);
  const EmpiricalMarginal marginal(data, scheduler);
  Generator rng(8);
  const Tensor x = Tensor::randn({6, 2}, rng), t = Tensor::full({6}, 0.6), w = marginal.weights(x, t);
  const Coefficients c = scheduler->at(0.6);
  const Tensor mean_of_data = matmul(w, data);
  const Tensor u = c.d_alpha * mean_of_data + c.d_sigma / c.sigma * (x - c.alpha * mean_of_data);
  EXPECT_LT(max(abs(u - marginal.velocity(x, t))).item(), 1e-4);
  EXPECT_LT(max(abs(sum(w, {.axes = {1}}) - 1)).item(), 1e-5);
}

TEST(EmpiricalMarginal, FlowsOntoItsData) {
  const Tensor data = annulus_points(1000);
  const EmpiricalMarginal marginal(data, std::make_shared<CondOtScheduler>(1e-4));
  Generator rng(7);
  const Index n = 64;
  std::vector<double> times = uniform_grid(0, 1, 200);
  for (double& t : times) t = 1 - (1 - t) * (1 - t);  // the choice between neighbors is made late
  const Velocity u = [&](const Tensor& x, const Tensor& t) { return marginal.velocity(x, t); };
  const Tensor end = solve(u, Tensor::randn({n, 2}, rng), times, kRk4).x;
  for (Index i = 0; i < n; ++i) {
    double nearest = 1e9;
    for (Index j = 0; j < data.dim(0); ++j) {
      nearest = std::min(nearest, std::hypot(static_cast<double>(end.data()[2 * i] - data.data()[2 * j]),
                                             static_cast<double>(end.data()[2 * i + 1] - data.data()[2 * j + 1])));
    }
    EXPECT_LT(nearest, 1e-3) << "point " << i;
  }
}

TEST(EmpiricalMarginal, TheDensityAlongTheFlowIsTheMixture) {
  // ln p_1(x_1) = ln p_0(x_0) - integral of the divergence, against the mixture that sigma_min = 0.2 leaves at t = 1.
  const Tensor data = annulus_points(30);
  const EmpiricalMarginal marginal(data, std::make_shared<CondOtScheduler>(0.2));
  const double h = kDouble ? 1e-5 : 5e-3;
  const Velocity with_divergence = [&](const Tensor& state, const Tensor& t) {
    const Tensor x = slice(state, 1, 0, 2);
    Tensor divergence = Tensor::zeros({x.dim(0), 1});
    for (Index d = 0; d < 2; ++d) {
      const Tensor step = Tensor::from({static_cast<Real>(d == 0 ? h : 0), static_cast<Real>(d == 1 ? h : 0)}, {2});
      const Tensor difference = marginal.velocity(x + step, t) - marginal.velocity(x - step, t);
      divergence = divergence + slice(difference, 1, d, d + 1) / (2 * h);
    }
    return concatenate({marginal.velocity(x, t), divergence}, 1);
  };
  Generator rng(8);
  const Index n = 50;
  const Tensor x_0 = Tensor::randn({n, 2}, rng), zero = Tensor::zeros({n}), one = Tensor::ones({n});
  const Tensor end =
      solve(with_divergence, concatenate({x_0, Tensor::zeros({n, 1})}, 1), uniform_grid(0, 1, 100), kRk4).x;
  const Tensor before = marginal.log_density(x_0, zero), after = marginal.log_density(slice(end, 1, 0, 2), one);
  for (Index i = 0; i < n; ++i) {
    const Real normal = -sum(square(slice(x_0, 0, i, i + 1))).item() / 2;
    EXPECT_NEAR(before.data()[i], normal - std::log(2 * std::numbers::pi), 1e-5);
    EXPECT_NEAR(after.data()[i], before.data()[i] - end.data()[3 * i + 2], kDouble ? 1e-4 : 2e-2) << "point " << i;
  }
}

TEST(EmpiricalMarginal, HasNoVelocityWhereSigmaIsZero) {
  const EmpiricalMarginal marginal(annulus_points(3), std::make_shared<CondOtScheduler>());
  EXPECT_THAT(
      [&] {
        marginal.velocity(Tensor::zeros({1, 2}), Tensor::ones({1}));
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("sigma is 0 at t = 1")));
  EXPECT_THAT(
      [&] {
        marginal.velocity(Tensor::zeros({1, 3}), Tensor::zeros({1}));
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("expected x [N, 2]")));
}

}  // namespace
}  // namespace rill::flow
