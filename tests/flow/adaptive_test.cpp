// Adaptive steps: against torchdiffeq's printed results, against exact solutions, and each row against a solve of that
// row alone.
#include "flow/solver/adaptive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/path/path.hpp"
#include "flow/solver/dense_output.hpp"
#include "flow/solver/ode.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
constexpr bool kDouble = sizeof(Real) == 8;

double value(const Tensor& x, Index i = 0) { return static_cast<double>(x.data()[i]); }

// The largest difference between two tensors' numbers.
double distance(const Tensor& a, const Tensor& b) { return static_cast<double>(max(abs(a - b)).item()); }

Tensor component(const Tensor& y, Index i) { return slice(y, 1, i, i + 1); }

// A nonlinear, time-dependent field that turns faster farther out, so that rows need different steps.
Tensor swirl(const Tensor& y, const Tensor& t) {
  const Tensor a = component(y, 0), b = component(y, 1), speed = (square(a) + square(b)) * (1 + per_sample(t, 2));
  return concatenate({-b * speed, a * speed}, 1) - 0.3 * y;
}

// --- torchdiffeq -----------------------------------------------------------------------------------------------------

// Hull, Enright, Fellen and Sedgwick, "Comparing numerical methods for ordinary differential equations" (1972).
struct Problem {
  const char* name;
  Velocity f;
  std::vector<Real> start;
};
const std::vector<Problem>& detest() {
  static const std::vector<Problem> problems = {
      {"A1", [](const Tensor& y, const Tensor&) { return -y; }, {1}},
      {"A2", [](const Tensor& y, const Tensor&) { return -0.5 * (y * y * y); }, {1}},
      {"A3", [](const Tensor& y, const Tensor& t) { return y * cos(per_sample(t, 2)); }, {1}},
      {"B1",
       [](const Tensor& y, const Tensor&) {
         const Tensor prey = component(y, 0), hunters = component(y, 1), met = prey * hunters;
         return concatenate({2.0 * (prey - met), met - hunters}, 1);
       },
       {1, 3}}};
  return problems;
}

TEST(Adaptive, GivesTorchdiffeqsEvaluationsAndErrors) {
  if (!kDouble) GTEST_SKIP() << "the printed figures are those of double";
  struct Row {
    double tolerance;
    Index evaluations;
    double error;
    double digit;  // the last one printed
  };
  const std::vector<std::vector<Row>> printed = {{{1e-3, 68, 7.272080e-4, 1e-10}, {1e-6, 152, 4.83e-8, 1e-10}},
                                                 {{1e-3, 44, 1.500953e-3, 1e-9}, {1e-6, 92, 6.30e-7, 1e-9}},
                                                 {{1e-3, 140, 1.716421e-3, 1e-9}, {1e-6, 464, 4.95e-6, 1e-8}},
                                                 {{1e-3, 320, 4.882935e-2, 1e-8}, {1e-6, 836, 1.821727e-5, 1e-11}}};
  for (std::size_t i = 0; i < printed.size(); ++i) {
    const Problem& problem = detest()[i];
    const Tensor start = Tensor::from(problem.start, {1, static_cast<Index>(problem.start.size())});
    AdaptiveOptions options{.overshoot = true};
    options.tolerance = {.rtol = 1e-12, .atol = 1e-12};
    const Tensor exact = solve_adaptive(problem.f, start, {0, 20}, options).x;
    for (const Row& row : printed[i]) {
      SCOPED_TRACE(concat(problem.name, " at ", row.tolerance));
      options.tolerance = {.rtol = row.tolerance, .atol = row.tolerance};
      const AdaptiveSolution s = solve_adaptive(problem.f, start, {0, 20}, options);
      EXPECT_EQ(s.evaluations, row.evaluations);
      const double error = std::sqrt(static_cast<double>(mean(square(s.x - exact)).item()));
      EXPECT_NEAR(error, row.error, 1e-3 * row.error + row.digit / 2);
    }
  }
}

// --- The step --------------------------------------------------------------------------------------------------------

TEST(Adaptive, MeetsTheToleranceWithEveryMethodAndController) {
  const Velocity f = [](const Tensor& y, const Tensor& t) { return y * cos(per_sample(t, 2)); };
  for (const std::string& name : solver_names(true)) {
    for (const std::string& controller : controller_names()) {
      SCOPED_TRACE(name + " " + controller);
      AdaptiveOptions options{.method = &find_tableau(name)};
      options.control.controller = find_controller(controller);
      options.tolerance = {.rtol = 1e-4, .atol = 1e-4};
      const AdaptiveSolution s = solve_adaptive(f, Tensor::ones({1, 1}), {0, 3}, options);
      EXPECT_NEAR(value(s.x), std::exp(std::sin(3.0)), 2e-3);
      EXPECT_EQ(s.t, std::vector<double>{3});
      EXPECT_EQ(s.evaluated_rows, s.evaluations);
    }
  }
}

TEST(Adaptive, LandsOnTheEndAndAsksForNothingBeyond) {
  for (const std::string& name : solver_names(true)) {
    for (const bool per_sample : {false, true}) {
      for (const double end : {1.0, -1.0}) {
        double furthest = 0;
        Index calls = 0, rows = 0;
        const Velocity f = [&](const Tensor& y, const Tensor& t) {
          for (const Real time : t.values()) furthest = std::max(furthest, static_cast<double>(time) * end);
          ++calls;
          rows += y.dim(0);
          return swirl(y, t);
        };
        const Tensor x = Tensor::from({1, 0, 0, 2}, {2, 2});
        const AdaptiveSolution s =
            solve_adaptive(f, x, {0, 0.3 * end, end}, {.method = &find_tableau(name), .per_sample = per_sample});
        EXPECT_EQ(furthest, 1) << name;
        EXPECT_EQ(s.evaluations, calls);
        EXPECT_EQ(s.evaluated_rows, rows);
        EXPECT_THAT(s.t, ElementsAre(end, end));
      }
    }
  }
}

TEST(Adaptive, CountsEvaluations) {
  // Linear in t: no error at all, so that each step is ten times the last: 0.1, then the rest.
  const Velocity f = [](const Tensor& y, const Tensor&) { return Tensor::full(y.shape(), 2); };
  AdaptiveOptions options{.method = &kDormandPrince5, .first_step = 0.1};
  AdaptiveSolution s = solve_adaptive(f, Tensor::zeros({1, 1}), {0, 1}, options);
  EXPECT_EQ(s.evaluations, 1 + 2 * 6);  // the last slope of a step is the first one of the next
  EXPECT_EQ(s.accepted, 2);
  EXPECT_EQ(s.rejected, 0);
  options.method = &kDormandPrince8;
  s = solve_adaptive(f, Tensor::zeros({1, 1}), {0, 1}, options);
  EXPECT_EQ(s.evaluations, 12 + 12);  // none at the end, where no step follows
  EXPECT_NEAR(value(s.x), 2, 1e-6);
}

TEST(Adaptive, RunsBackwardToWhereItCameFrom) {
  const Tensor start = Tensor::from({1, 0, 0.5, -0.7}, {2, 2});
  for (const bool per_sample : {false, true}) {
    AdaptiveOptions options{.per_sample = per_sample};
    options.tolerance = {.rtol = kDouble ? 1e-10 : 1e-5, .atol = kDouble ? 1e-10 : 1e-5};
    const Tensor end = solve_adaptive(swirl, start, {0, 1}, options).x;
    EXPECT_GT(distance(start, end), 0.5);
    EXPECT_LT(distance(solve_adaptive(swirl, end, {1, 0}, options).x, start), kDouble ? 1e-8 : 1e-3);
  }
}

// --- Each row on its own ---------------------------------------------------------------------------------------------

TEST(PerSample, GivesEveryRowWhatItGetsAlone) {
  Generator rng(1);
  const Index n = 9;
  const Tensor x = 1.5 * Tensor::randn({n, 2}, rng);
  // A different rotation for every row, as with labels.
  const auto turn = [](const Tensor& points, const Indices& rows) {
    std::vector<Real> values;
    for (const Index row : rows) values.push_back(static_cast<Real>(row) / 4);
    return points * Tensor::from(values, {points.dim(0), 1});
  };
  const std::vector<double> times = {0, 0.25, 0.5, 1};
  for (const std::string& name : solver_names(true)) {
    for (const bool overshoot : {false, true}) {
      SCOPED_TRACE(name);
      AdaptiveOptions options{.method = &find_tableau(name), .per_sample = true, .overshoot = overshoot};
      options.tolerance = {.rtol = 1e-4, .atol = 1e-4};
      const RowVelocity all = [&](const Tensor& y, const Tensor& t, const Indices& rows) {
        return swirl(y, t) + turn(y, rows);
      };
      const AdaptiveSolution together = solve_adaptive(all, x, times, options);
      Index steps = 0, rejected = 0, longest = 0;
      for (Index i = 0; i < n; ++i) {
        const Velocity alone = [&](const Tensor& y, const Tensor& t) { return swirl(y, t) + turn(y, Indices({i})); };
        const AdaptiveSolution one = solve_adaptive(alone, slice(x, 0, i, i + 1), times, options);
        for (std::size_t j = 0; j < times.size(); ++j) {
          EXPECT_EQ(slice(together.at[j], 0, i, i + 1).to_vector(), one.at[j].to_vector()) << i << " at " << times[j];
        }
        steps += one.accepted;
        rejected += one.rejected;
        longest = std::max(longest, one.accepted + one.rejected);
      }
      EXPECT_EQ(together.accepted, steps);
      EXPECT_EQ(together.rejected, rejected);
      EXPECT_GT(rejected, 0) << "some rows must have been left behind by others";
      EXPECT_LT(together.evaluated_rows, together.evaluations * n) << "rows that are done must leave";
      EXPECT_LE(together.evaluations, (longest + 1) * (find_tableau(name).stages + 4) + 2);
    }
  }
}

TEST(PerSample, NetworksToo) {
  // Products of matrices round differently for other numbers of rows, so: as closely as the tolerance.
  Generator rng(2);
  const Tensor w = Tensor::randn({16, 3}, rng), v = 0.5 * Tensor::randn({2, 16}, rng);
  const Velocity u = [&](const Tensor& x, const Tensor& t) {
    return linear(tanh(linear(concatenate({x, per_sample(t, 2)}, 1), w)), v);
  };
  const Index n = 40;
  const Tensor x = Tensor::randn({n, 2}, rng);
  const AdaptiveSolution together = solve_adaptive(u, x, {0, 1}, {.per_sample = true});
  for (Index i = 0; i < n; ++i) {
    const AdaptiveSolution alone = solve_adaptive(u, slice(x, 0, i, i + 1), {0, 1});
    EXPECT_LT(distance(slice(together.x, 0, i, i + 1), alone.x), kDouble ? 1e-10 : 1e-4) << i;
  }
}

TEST(PerSample, WholeBatchOfOneIsTheSame) {
  const Tensor x = Tensor::from({1, 0.5}, {1, 2});
  const AdaptiveSolution a = solve_adaptive(swirl, x, {0, 1}),
                         b = solve_adaptive(swirl, x, {0, 1}, {.per_sample = true});
  EXPECT_EQ(a.x.to_vector(), b.x.to_vector());
  EXPECT_EQ(a.evaluations, b.evaluations);
}

TEST(PerSample, EmptyBatchStaysEmpty) {
  for (const bool per_sample : {false, true}) {
    const AdaptiveSolution s = solve_adaptive(swirl, Tensor::zeros({0, 2}), {0, 1}, {.per_sample = per_sample});
    EXPECT_EQ(s.x.shape(), (Shape{0, 2}));
    EXPECT_EQ(s.evaluations, 0);
  }
}

// --- Inside the steps ------------------------------------------------------------------------------------------------

TEST(DenseOutput, HasTheStatedOrder) {
  if (!kDouble) GTEST_SKIP() << "needs double: the errors sink below float's rounding";
  // One step of size h from the exact solution y = 1 / (2 - sin t) of y' = y^2 cos t.
  const auto error = [](const Tableau& method, double h) {
    const RowVelocity f = [](const Tensor& y, const Tensor& t, const Indices&) {
      return square(y) * cos(per_sample(t, 2));
    };
    const auto exact = [](double t) { return 1 / (2 - std::sin(t)); };
    Field field{f};
    Step step{.x = Tensor::full({1, 1}, exact(0.4)), .rows = Indices({0}), .t = {0.4}, .h = {h}, .k = {}, .x_next = {}};
    take_step(method, field, step);
    prepare_dense_output(method, field, step);
    EXPECT_NEAR(value(interpolate(method, step, {0})), value(step.x), 1e-15);
    EXPECT_NEAR(value(interpolate(method, step, {1})), value(step.x_next), 1e-15);
    double worst = 0;
    for (const double theta : {0.2, 0.35, 0.5, 0.65, 0.8}) {
      worst = std::max(worst, std::abs(value(interpolate(method, step, {theta})) - exact(0.4 + theta * h)));
    }
    return worst;
  };
  for (const std::string& name : solver_names(true)) {
    const Tableau& method = find_tableau(name);
    // The step itself errs by h^{order + 1}, which is all that a cubic through its ends can hide.
    const int order = std::min(method.order, method.dense.order);
    const double measured = std::log2(error(method, 0.1) / error(method, 0.05));
    // That of order 7 is lost in the rounding here.
    EXPECT_NEAR(order < 7 ? measured : order + 1, order + 1, 0.15) << name;
    EXPECT_LT(error(method, 0.1), 10 * std::pow(0.1, order + 1)) << name;
  }
}

TEST(DenseOutput, ReportsRequestedTimesAsAccuratelyAsTheEnd) {
  const Velocity f = [](const Tensor& y, const Tensor& t) { return y * cos(per_sample(t, 2)); };
  const std::vector<double> times = {0, 0.001, 0.5, 0.50001, 1, 1.5, 1.9, 2};
  for (const char* name : {"dopri5", "tsit5", "dopri8"}) {
    for (const bool backward : {false, true}) {
      AdaptiveOptions options{.method = &find_tableau(name)};
      options.tolerance = {.rtol = kDouble ? 1e-9 : 1e-5, .atol = kDouble ? 1e-9 : 1e-5};
      std::vector<double> grid = times;
      if (backward) std::reverse(grid.begin(), grid.end());
      const Tensor start = Tensor::full({1, 1}, std::exp(std::sin(grid[0])));
      const AdaptiveSolution s = solve_adaptive(f, start, grid, options);
      ASSERT_EQ(s.at.size(), grid.size());
      for (std::size_t i = 0; i < grid.size(); ++i) {
        EXPECT_NEAR(value(s.at[i]), std::exp(std::sin(grid[i])), kDouble ? 1e-7 : 1e-3) << name << " " << grid[i];
      }
      EXPECT_EQ(value(s.x), value(s.at.back()));
      // Report times do not change the steps.
      EXPECT_EQ(value(solve_adaptive(f, start, {grid[0], grid.back()}, options).x), value(s.x));
    }
  }
}

// --- Failure ---------------------------------------------------------------------------------------------------------

template <class Call>
SolveError failure(const Call& call) {
  try {
    call();
  } catch (const SolveError& error) {
    return error;
  }
  return SolveError("nothing was thrown", 0, 0, 0);
}

TEST(Adaptive, SaysWhereItGaveUp) {
  // y' = y^2 from 1 is 1 / (1 - t), from 2 is 1 / (2 - t) : there is nothing at t = 1, or 1/2.
  const Velocity blow_up = [](const Tensor& y, const Tensor&) { return square(y); };
  const Tensor x = Tensor::from({0.2, 1, 0.1}, {3, 1});
  const SolveError whole = failure([&] { solve_adaptive(blow_up, x, {0, 2}); });
  EXPECT_THAT(whole.what(), AllOf(HasSubstr("solve: dopri5 gave up at t = "), HasSubstr("step size ")));
  EXPECT_NEAR(whole.t, 1, 1e-3);
  EXPECT_EQ(whole.sample, -1);
  const SolveError one = failure([&] { solve_adaptive(blow_up, x, {0, 2}, {.per_sample = true}); });
  EXPECT_THAT(one.what(), HasSubstr("of sample 1, step size "));
  EXPECT_NEAR(one.t, 1, 1e-3);
  EXPECT_EQ(one.sample, 1);

  // A jump of the velocity in a tolerance finer than any step across it can have.
  const Velocity jump = [](const Tensor& y, const Tensor& t) {
    return y * 0.0 + less(per_sample(t, 2), Tensor::full({1, 1}, 0.4));
  };
  const SolveError stuck = failure([&] {
    solve_adaptive(jump, Tensor::zeros({1, 1}), {0, 1}, {.tolerance = {.rtol = 0, .atol = 1e-18}});
  });
  EXPECT_THAT(stuck.what(), AllOf(HasSubstr("times what rtol 0 and atol 1e-18 allow"), HasSubstr("loosen them")));
  EXPECT_NEAR(stuck.t, 0.4, 1e-3);

  // A tolerance that no step can meet, relative to which squared errors overflow.
  const Velocity decay = [](const Tensor& y, const Tensor&) { return -y; };
  const SolveError fine = failure([&] {
    solve_adaptive(decay, Tensor::full({1, 1}, 1), {0, 1}, {.tolerance = {.rtol = 1e-300, .atol = 1e-300}});
  });
  EXPECT_THAT(fine.what(), AllOf(HasSubstr("times what rtol 1e-300 and atol 1e-300 allow"), HasSubstr("loosen them")));
}

TEST(Adaptive, SaysWhatToDoWhenTheStepsAreUsedUp) {
  const Velocity f = [](const Tensor& y, const Tensor& t) { return cos(per_sample(100 * t, 2)) + 0.0 * y; };
  const SolveError error = failure([&] {
    solve_adaptive(f, Tensor::zeros({2, 1}), {0, 1}, {.max_steps = 5, .per_sample = true});
  });
  EXPECT_THAT(error.what(), AllOf(HasSubstr("all 5 steps are used up before t = 1 is reached"),
                                  HasSubstr("of sample 0"), HasSubstr("raise max_steps, or loosen rtol or atol")));
  EXPECT_GT(error.t, 0);
}

TEST(Adaptive, SaysThatTheVelocityIsNotFinite) {
  const Velocity f = [](const Tensor& y, const Tensor& t) {
    return sqrt(0.5 - per_sample(t, 2)) + 0.0 * y;  // NaN beyond t = 1/2
  };
  const SolveError later = failure([&] { solve_adaptive(f, Tensor::zeros({1, 1}), {0, 1}); });
  EXPECT_THAT(later.what(), HasSubstr("the velocity is NaN or infinite"));
  EXPECT_NEAR(later.t, 0.5, 1e-3);
  EXPECT_THAT(failure([&] {
                solve_adaptive(f, Tensor::zeros({1, 1}), {0.6, 1});
              }).what(),
              AllOf(HasSubstr("gave up at t = 0.6"), HasSubstr("NaN or infinite")));
}

TEST(Adaptive, GivesUpAtOnceWhereNoStepIsSmallEnough) {
  // The velocity at the very point where the step starts: of sample 1 at the start, and after a step whose method does
  // not look at the slope where it ends.
  Index calls = 0;
  const Velocity never = [&](const Tensor& y, const Tensor&) {
    ++calls;
    return sqrt(y);
  };
  const Tensor x = Tensor::from({1, -1}, {2, 1});
  EXPECT_EQ(failure([&] { solve_adaptive(never, x, {0, 1}, {.per_sample = true}); }).sample, 1);
  EXPECT_EQ(calls, 1);

  calls = 0;
  const Velocity once = [&](const Tensor& y, const Tensor& t) {
    return ++calls <= 2 ? Tensor::ones(y.shape()) : per_sample(sqrt(-1 - t), 2) + y;
  };
  const AdaptiveOptions options{.method = &kHeunEuler, .first_step = 0.25};
  const SolveError later = failure([&] { solve_adaptive(once, Tensor::zeros({1, 1}), {0, 1}, options); });
  EXPECT_EQ(later.t, 0.25);
  EXPECT_EQ(calls, 4);  // two of the step that went well, k_0 of the next one and its second slope
}

TEST(Adaptive, MisuseIsExplained) {
  const Tensor x = Tensor::zeros({1, 2});
  const auto with = [&](const AdaptiveOptions& options) {
    return misuse([&] { solve_adaptive(swirl, x, {0, 1}, options); });
  };
  EXPECT_THAT(with({.method = &kRk4}),
              HasSubstr("rk4 has no error estimate for adaptive steps; use one of heun-euler"));
  EXPECT_THAT(with({.tolerance = {.rtol = -1, .atol = 1}}), HasSubstr("must not be negative"));
  EXPECT_THAT(with({.tolerance = {.rtol = 0, .atol = 0}}), HasSubstr("one of them must be positive; got 0 and 0"));
  EXPECT_THAT(with({.control = {.safety = 1.5}}),
              HasSubstr("min_factor < safety < 1 < max_factor, got 0.2, 1.5 and 10"));
  EXPECT_THAT(with({.first_step = -1}), HasSubstr("got -1"));
  EXPECT_THAT(with({.max_steps = 0}), HasSubstr("max_steps must be at least 1, got 0"));
  EXPECT_THAT(with({.event = Event{}}), HasSubstr("an event needs a function"));
  EXPECT_THAT(misuse([&] { solve_adaptive(swirl, x, {0, 1, 1}, {}); }), HasSubstr("found 1 then 1"));
  EXPECT_THAT(misuse([&] { solve_adaptive(swirl, x, {0}, {}); }), HasSubstr("at least two times, got 1"));
  const Velocity wrong = [](const Tensor& y, const Tensor&) { return component(y, 0); };
  EXPECT_THAT(misuse([&] {
                solve_adaptive(wrong, x, {0, 1}, {});
              }),
              HasSubstr("the velocity at points of shape [1, 2] has shape [1, 1]"));
}

}  // namespace
}  // namespace rill::flow
