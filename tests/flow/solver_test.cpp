// A solver value gives the same results as the functions that it represents.
#include "flow/solver/solver.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/path/path.hpp"

namespace rill::flow {
namespace {

Tensor turning(const Tensor& x, const Tensor& t) { return sin(x) + per_sample(t, 2) * x; }

TEST(OdeSolver, IsSolveOrSolveAdaptiveForwardAndBackward) {
  Generator rng(1);
  const Tensor x = Tensor::randn({5, 2}, rng);
  const Velocity velocity = turning;
  const RowVelocity of_rows = [](const Tensor& at, const Tensor& t, const Indices& rows) {
    EXPECT_EQ(rows.size(), at.dim(0));
    return turning(at, t);
  };
  const AdaptiveOptions adaptive{.tolerance = {.rtol = 1e-4, .atol = 1e-4}, .per_sample = true};
  for (const auto& [start, end] : {std::pair{0.0, 1.0}, {1.0, 0.0}}) {
    const Solution fixed = solve(FixedSteps{&kRk4, 7}, of_rows, x, start, end);
    const Solution expected = solve(velocity, x, uniform_grid(start, end, 7), kRk4);
    EXPECT_EQ(fixed.x.to_vector(), expected.x.to_vector());
    EXPECT_EQ(fixed.evaluations, 28);
    EXPECT_EQ(fixed.evaluated_rows, 140);
    const Solution found = solve(adaptive, of_rows, x, start, end);
    const AdaptiveSolution same = solve_adaptive(of_rows, x, {start, end}, adaptive);
    EXPECT_EQ(found.x.to_vector(), same.x.to_vector());
    EXPECT_EQ(found.evaluations, same.evaluations);
    EXPECT_EQ(found.evaluated_rows, same.evaluated_rows);
  }
}

TEST(OdeSolver, ReportsAtItsTimes) {
  EXPECT_EQ(report_times(FixedSteps{&kEuler, 4}, 1, 0), uniform_grid(1, 0, 4));
  EXPECT_EQ(report_times(AdaptiveOptions{}, 0, 1), uniform_grid(0, 1, 50));
  EXPECT_THROW(report_times(FixedSteps{&kEuler, 0}, 0, 1), std::invalid_argument);
  const Tensor x = Tensor::ones({1, 2});
  const Velocity velocity = turning;
  for (const OdeSolver& solver : {OdeSolver(FixedSteps{&kEuler, 4}), OdeSolver(AdaptiveOptions{})}) {
    std::vector<double> times;
    Tensor last;
    const Solution end =
        solve(solver, for_any_rows(velocity), x, 1, 0, [&](Index position, double t, const Tensor& at) {
          EXPECT_EQ(position, std::ssize(times));
          times.push_back(t);
          last = at;
        });
    EXPECT_EQ(times, report_times(solver, 1, 0));
    EXPECT_EQ(last.to_vector(), end.x.to_vector());
  }
}

}  // namespace
}  // namespace rill::flow
