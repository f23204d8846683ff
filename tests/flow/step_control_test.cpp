// The step sizes of adaptive solves.
#include "flow/solver/step_control.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autodiff/ops.hpp"
#include "flow/solver/adaptive.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;

TEST(StepControl, FollowsItsFormulas) {
  const StepControl integral, pi{.controller = Controller::kPi};
  EXPECT_DOUBLE_EQ(integral.factor(32, 1, 5), 0.9 / 2);
  EXPECT_DOUBLE_EQ(integral.factor(1e9, 1, 5), 0.2);
  EXPECT_DOUBLE_EQ(integral.factor(0, 1, 5), 10);
  EXPECT_DOUBLE_EQ(integral.factor(0.99, 1, 5), 1);  // accepted: 0.9 / 0.99^{1/5} would shrink it
  EXPECT_DOUBLE_EQ(integral.factor(std::numeric_limits<double>::quiet_NaN(), 1, 5), 0.2);
  EXPECT_DOUBLE_EQ(pi.factor(std::pow(0.5, 10), 1, 5), 0.9 * std::pow(2, 1.4));
  EXPECT_DOUBLE_EQ(pi.factor(0.5, std::pow(0.5, 10), 5), 0.9 * std::pow(2, 0.14) * std::pow(2, -0.8));
  EXPECT_DOUBLE_EQ(pi.factor(32, 1e-3, 5), 0.9 / 2);
  EXPECT_THAT(misuse([] { find_controller("pid"); }), HasSubstr("'pid' (did you mean pi?); known: integral, pi"));
}

TEST(StepControl, ThePiControllerRejectsFewerSteps) {
  // Van der Pol's oscillator with mu = 5, whose step sizes vary by a factor of a hundred. The memory of the last error
  // is what helps: without it, the share of rejected steps falls by less than half.
  const Velocity oscillator = [](const Tensor& y, const Tensor&) {
    const Tensor a = slice(y, 1, 0, 1), b = slice(y, 1, 1, 2);
    return concatenate({b, 5 * (1 - square(a)) * b - a}, 1);
  };
  const auto rejected = [&](Controller controller) {
    const AdaptiveOptions options{
        .method = &kBogackiShampine, .tolerance = {.rtol = 1e-4, .atol = 1e-4}, .control = {.controller = controller}};
    return solve_adaptive(oscillator, Tensor::from({1, 3}, {1, 2}), {0, 20}, options).rejected;
  };
  EXPECT_LT(3 * rejected(Controller::kPi), rejected(Controller::kIntegral));
}

TEST(StepControl, DoesALittleRestAtOnce) {
  const Velocity constant = [](const Tensor& y, const Tensor&) { return Tensor::ones(y.shape()); };
  const auto steps = [&](double first_step) {
    return solve_adaptive(constant, Tensor::zeros({1, 1}), {0, 1}, {.first_step = first_step}).accepted;
  };
  EXPECT_EQ(steps(0.995), 1);
  EXPECT_EQ(steps(0.98), 2);
}

TEST(StepControl, JudgesAStepByItsEmbeddedMethods) {
  // One slope k = (1, -3) and h = 1/2 from x = 0: the errors are h (b - b_embedded) k, and the sizes |x_next| = |h k|.
  Tableau method{.name = "test", .order = 1, .stages = 1, .a = {}, .b = {1}, .c = {0}};
  method.embedded = {.order = 1, .b = {0.8}};
  const Tensor k = Tensor::from({1, -3}, {1, 2});
  Step step{.x = Tensor::zeros({1, 2}), .rows = Indices({0}), .t = {0}, .h = {0.5}, .k = {k}, .x_next = 0.5 * k};
  const Tolerance tolerance{.rtol = 0.1, .atol = 0.01};
  const double e = std::sqrt((std::pow(0.1 / 0.06, 2) + std::pow(0.3 / 0.16, 2)) / 2);
  EXPECT_NEAR(error_ratios(method, tolerance, step)[0], e, 1e-6);
  method.second = {.order = 1, .b = {-3}};
  EXPECT_NEAR(error_ratios(method, tolerance, step)[0], e / std::sqrt(1 + 0.01 * 20 * 20), 1e-6);
}

}  // namespace
}  // namespace rill::flow
