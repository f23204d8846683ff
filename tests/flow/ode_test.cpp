// Fixed steps, by their measured errors.
#include "flow/solver/ode.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "autodiff/ops.hpp"
#include "flow/path/path.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
constexpr bool kDouble = sizeof(Real) == 8;

// y' = y - t^2 + 1, y(0) = 1/2, whose solution is (t + 1)^2 - e^t / 2
double error_at_one(const Tableau& method, Index steps) {
  const Velocity f = [](const Tensor& y, const Tensor& t) { return y - square(per_sample(t, 2)) + 1; };
  const Tensor y = solve(f, Tensor::full({1, 1}, 0.5), uniform_grid(0, 1, steps), method).x;
  return std::abs(static_cast<double>(y.item()) - (4 - std::exp(1.0) / 2));
}

TEST(Solve, ErrorsAsTabulated) {
  const auto expect_errors = [](const Tableau& method, double at_10, double at_20, double at_40, double digit) {
    SCOPED_TRACE(method.name);
    const double tolerance = digit / 2 * 1.02 + (kDouble ? 0 : 3e-6);
    EXPECT_NEAR(error_at_one(method, 10), at_10, tolerance);
    EXPECT_NEAR(error_at_one(method, 20), at_20, tolerance);
    EXPECT_NEAR(error_at_one(method, 40), at_40, tolerance);
  };
  expect_errors(kEuler, .0971, .0502, .0255, 1e-4);
  expect_errors(kMidpoint, 1.981e-3, 5.017e-4, 1.262e-4, 1e-6);
  expect_errors(kHeun2, 6.062e-3, 1.549e-3, 3.913e-4, 1e-6);
  expect_errors(kHeun3, 3.848e-5, 4.835e-6, 6.057e-7, 1e-8);
  expect_errors(kRk4, 2.3616e-6, 1.5029e-7, 9.476e-9, 1e-10);
  expect_errors(kRk4ThreeEighths, 1.227e-6, 7.756e-8, 4.873e-9, 1e-9);
}

// A spiral that slows down, dr/dt = -r^3, and turns ever faster, dphi/dt = 2t: r = 1 / sqrt(1 + 2t), phi = t^2. The
// root mean square of the errors after every step, since at any one time those of different signs may happen to cancel.
double spiral_error(const Tableau& method, Index steps) {
  const Velocity f = [](const Tensor& y, const Tensor& t) {
    const Tensor a = slice(y, 1, 0, 1), b = slice(y, 1, 1, 2), turn = 2 * per_sample(t, 2);
    return concatenate({-turn * b, turn * a}, 1) - (square(a) + square(b)) * y;
  };
  double sum = 0;
  const auto compare = [&](Index, double t, const Tensor& y) {
    const double r = 1 / std::sqrt(1 + 2 * t), a = r * std::cos(t * t), b = r * std::sin(t * t);
    sum += std::pow(static_cast<double>(y.data()[0]) - a, 2) + std::pow(static_cast<double>(y.data()[1]) - b, 2);
  };
  solve(f, Tensor::from({1, 0}, {1, 2}), uniform_grid(0, 3, steps), method, compare);
  return std::sqrt(sum / static_cast<double>(2 * steps));
}

TEST(Solve, ConvergesWithTheStatedOrder) {
  if (!kDouble) GTEST_SKIP() << "needs double: the errors sink below float's rounding";
  // Enough steps for the leading error term to dominate, few enough to stay above rounding.
  const Index steps[] = {0, 256, 256, 256, 256, 192, 0, 0, 48};
  for (const Tableau* method : kTableaus) {
    const Index n = steps[method->order];
    EXPECT_NEAR(std::log2(spiral_error(*method, n) / spiral_error(*method, 2 * n)), method->order, 0.15)
        << method->name;
  }
}

TEST(Solve, RunsBackwardToWhereItCameFrom) {
  const Velocity f = [](const Tensor& y, const Tensor& t) { return sin(y) * per_sample(t, 2); };
  const Tensor start = Tensor::from({0.3, 1.2}, {2, 1});
  const Tensor end = solve(f, start, uniform_grid(0, 2, 100), kRk4).x;
  const Tensor back = solve(f, end, uniform_grid(2, 0, 100), kRk4).x;
  for (Index i = 0; i < 2; ++i) EXPECT_NEAR(back.data()[i], start.data()[i], kDouble ? 1e-7 : 1e-5);
}

TEST(Solve, TellsTheObserverEveryTimeAndCountsEvaluations) {
  std::vector<double> seen;
  std::vector<Real> values;
  const Velocity constant = [](const Tensor& y, const Tensor&) { return Tensor::full(y.shape(), 2); };
  const Solution s =
      solve(constant, Tensor::zeros({1, 1}), {0, 0.25, 1}, kMidpoint, [&](Index position, double t, const Tensor& y) {
        EXPECT_EQ(position, static_cast<Index>(seen.size()));
        seen.push_back(t);
        values.push_back(y.item());
      });
  EXPECT_THAT(seen, ::testing::ElementsAre(0, 0.25, 1));
  EXPECT_THAT(values, ::testing::ElementsAre(0, 0.5, 2));
  EXPECT_EQ(s.evaluations, 4);
}

TEST(Solve, GradientsFlowThroughTheSteps) {
  // x' = w x for one Euler step of 1/2, twice: x_1 = (1 + w/2)^2 x_0
  const Tensor w = Tensor::scalar(0.6).set_requires_grad(), x = Tensor::full({1, 1}, 2).set_requires_grad();
  sum(solve([&](const Tensor& y, const Tensor&) { return w * y; }, x, {0, 0.5, 1}, kEuler).x).backward();
  EXPECT_NEAR(w.grad().item(), 2 * 1.3, 1e-5);
  EXPECT_NEAR(x.grad().item(), 1.69, 1e-5);
}

TEST(Solve, MisuseIsExplained) {
  const Velocity still = [](const Tensor& y, const Tensor&) { return y; };
  const Tensor x = Tensor::zeros({1, 1});
  EXPECT_THAT([&] { solve(still, x, {0}, kEuler); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("at least two times, got 1")));
  EXPECT_THAT(
      [&] {
        solve(still, x, {0, 1, 0.5}, kEuler);
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("found 1 then 0.5")));
  EXPECT_THAT([&] { uniform_grid(0, 1, 0); }, ThrowsMessage<std::invalid_argument>(HasSubstr("got 0")));
}

}  // namespace
}  // namespace rill::flow
