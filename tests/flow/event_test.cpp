// Events: stopping where a function crosses zero.
#include "flow/solver/event.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/ops.hpp"
#include "flow/solver/adaptive.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
constexpr bool kDouble = sizeof(Real) == 8;
constexpr double kClose = kDouble ? 1e-7 : 3e-4;

Tensor component(const Tensor& y, Index i) { return slice(y, 1, i, i + 1); }

// A stone thrown up: height' = speed, speed' = -10.
Tensor gravity(const Tensor& y, const Tensor&) {
  return concatenate({component(y, 1), Tensor::full({y.dim(0), 1}, -10)}, 1);
}
// From height a with speed b it lands at (b + sqrt(b^2 + 20 a)) / 10.
double landing(double height, double speed) { return (speed + std::sqrt(speed * speed + 20 * height)) / 10; }

AdaptiveOptions options_with(const Event& event, bool per_sample) {
  AdaptiveOptions options{.per_sample = per_sample, .event = event};
  options.tolerance = {.rtol = kDouble ? 1e-9 : 1e-5, .atol = kDouble ? 1e-9 : 1e-5};
  return options;
}

Event ground() {
  return {[](const Tensor& y, const Tensor&) { return component(y, 0); }, 1e-9};
}

TEST(Event, StopsEveryRowAtItsOwnCrossing) {
  const Tensor start = Tensor::from({1, 2, 3, -1, 5, 0, 0.5, 20}, {4, 2});
  for (const std::string& name : solver_names(true)) {
    AdaptiveOptions options = options_with(ground(), true);
    options.method = &find_tableau(name);
    if (options.method->order < 5) continue;  // they need very many steps
    const AdaptiveSolution s = solve_adaptive(gravity, start, {0, 0.3, 0.8, 2}, options);
    for (Index i = 0; i < 4; ++i) {
      const double height = static_cast<double>(start.data()[2 * i]);
      const double speed = static_cast<double>(start.data()[2 * i + 1]);
      const double expected = std::min(landing(height, speed), 2.0);  // the last one is still up at t = 2
      EXPECT_NEAR(s.t[static_cast<std::size_t>(i)], expected, kClose) << name << " row " << i;
      EXPECT_NEAR(s.x.data()[2 * i], height + speed * expected - 5 * expected * expected, 10 * kClose);
      EXPECT_NEAR(s.x.data()[2 * i + 1], speed - 10 * expected, 10 * kClose);
      // At report times after a row has stopped, its point is where it stopped.
      const double at = std::min(expected, 0.8);
      EXPECT_NEAR(s.at[2].data()[2 * i + 1], speed - 10 * at, 10 * kClose);
    }
  }
}

TEST(Event, StopsTheWholeBatchAtTheFirstCrossing) {
  const Tensor start = Tensor::from({1, 2, 3, -1, 5, 0}, {3, 2});
  const AdaptiveSolution s = solve_adaptive(gravity, start, {0, 2}, options_with(ground(), false));
  const double first = landing(3, -1);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(s.t[i], first, kClose);
  EXPECT_NEAR(s.x.data()[5], -10 * first, 10 * kClose);
}

TEST(Event, WorksBackwardAndOfTheTime) {
  const Event half{[](const Tensor&, const Tensor& t) { return t - 0.5; }, 1e-6};
  const AdaptiveSolution s = solve_adaptive(gravity, Tensor::from({1, 2}, {1, 2}), {1, 0}, options_with(half, true));
  EXPECT_NEAR(s.t[0], 0.5, 2e-6);
  EXPECT_LE(s.t[0], 0.5 + 1e-7);  // on the far side
}

TEST(Event, ThatIsZeroAtTheStartWaitsForTheNextCrossing) {
  const AdaptiveSolution s =
      solve_adaptive(gravity, Tensor::from({0, 4}, {1, 2}), {0, 2}, options_with(ground(), true));
  EXPECT_NEAR(s.t[0], 0.8, kClose);
}

TEST(Event, ThatNeverHappensChangesNothing) {
  const Event never{[](const Tensor& y, const Tensor&) { return component(y, 0) + 1000; }};
  const Tensor start = Tensor::from({1, 2, 0, 3}, {2, 2});
  const AdaptiveSolution s = solve_adaptive(gravity, start, {0, 2}, options_with(never, true));
  AdaptiveOptions without = options_with(never, true);
  without.event.reset();
  EXPECT_EQ(s.x.to_vector(), solve_adaptive(gravity, start, {0, 2}, without).x.to_vector());
  EXPECT_EQ(s.t, (std::vector<double>{2, 2}));
}

TEST(Event, BeyondTheEndDoesNotCount) {
  const Event late{[](const Tensor&, const Tensor& t) { return t - 1.001; }};
  AdaptiveOptions options = options_with(late, true);
  options.overshoot = true;
  options.first_step = 2;
  EXPECT_EQ(solve_adaptive(gravity, Tensor::from({1, 2}, {1, 2}), {0, 1}, options).t, std::vector<double>{1});
}

TEST(Event, MisuseIsExplained) {
  const Event wide{[](const Tensor& y, const Tensor&) { return y; }};
  EXPECT_THAT(misuse([&] {
                solve_adaptive(gravity, Tensor::ones({3, 2}), {0, 1}, options_with(wide, true));
              }),
              HasSubstr("event: expected one value for each of 3 rows, got shape [3, 2]"));
}

}  // namespace
}  // namespace rill::flow
