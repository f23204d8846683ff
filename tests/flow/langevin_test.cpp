// Langevin dynamics, where it works and where it does not.
#include "flow/solver/langevin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/path/path.hpp"
#include "flow/solver/ode.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;

double average(const Tensor& x) { return static_cast<double>(mean(x).item()); }
double variance(const Tensor& x) { return static_cast<double>(mean(square(x - mean(x))).item()); }

TEST(Langevin, SamplesAGaussian) {
  // x' = (1 - e/2 s^-2)(x - m) + sqrt(e) z has the stationary variance s^2 / (1 - e / (4 s^2)).
  const double m = 2, s = 0.7, e = 0.1;
  const Index n = 20'000;
  Generator rng(17);
  const Function score = [=](const Tensor& x) { return (m - x) / (s * s); };
  const Tensor x = langevin(score, Tensor::zeros({n, 1}), {.step_size = e, .steps = 200}, rng);
  const double expected = s * s / (1 - e / (4 * s * s)), error = 5 / std::sqrt(static_cast<double>(n));
  EXPECT_NEAR(average(x), m, error * s);
  EXPECT_NEAR(variance(x), expected, error * std::sqrt(2.0) * expected);
  EXPECT_THAT(misuse([&] { langevin(score, x, {.step_size = 0}, rng); }), HasSubstr("step size above 0, got 0"));
  EXPECT_THAT(misuse([&] { langevin(score, x, {.steps = -1}, rng); }), HasSubstr("got -1"));
}

TEST(Langevin, LeavesFarModesTheSharesOfTheStart) {
  // Modes of weight 0.1 at -8 and 0.9 at 8, deviation 1; the exact score -(x - 8 tanh(8 x + ln 3)), since ln(.9/.1) / 2
  // = ln 3. From N(0, 1) about half of the points go to each side; only a flow, which knows the weights, gets 0.9.
  const auto share_right = [](const Tensor& x) { return average(less(Tensor::scalar(0), x)); };
  const Function score = [](const Tensor& x) { return 8 * tanh(8 * x + std::log(3.0)) - x; };
  const Index n = 4000;
  Generator rng(18);
  const Tensor start = Tensor::randn({n, 1}, rng);
  const Tensor stuck = langevin(score, start, {.step_size = 0.05, .steps = 400}, rng);
  EXPECT_NEAR(share_right(stuck), 0.55, 0.06) << "not 0.9";

  // The exact flow of the same mixture: E[x_1 | x] = sum of posterior weights times the modes' conditional means.
  const Velocity u = [](const Tensor& x, const Tensor& t) {
    const Tensor time = per_sample(t, 2), v = square(time) + square(1 - time);  // of each mode, at time t
    const Tensor side = tanh(8 * time * x / v + std::log(3.0));
    const Tensor center = 8 * time * side;
    return 8 * side + (2 * time - 1) / v * (x - center);
  };
  const Tensor end = solve(u, start, uniform_grid(0, 1, 200), kRk4).x;
  EXPECT_NEAR(share_right(end), 0.9, 5 * std::sqrt(0.09 / static_cast<double>(n)));
}

}  // namespace
}  // namespace rill::flow
