#include "flow/solver/solver.hpp"

#include <numeric>
#include <utility>

namespace rill::flow {
namespace {

// The number of intervals between the report times of adaptive steps.
constexpr Index kReports = 50;

Solution solve_by(const FixedSteps& solver, const RowVelocity& velocity, const Tensor& x,
                  const std::vector<double>& times, const Observer& observer) {
  std::vector<Index> all(static_cast<std::size_t>(x.dim(0)));
  std::iota(all.begin(), all.end(), Index{0});
  const Velocity of_all = [&velocity, rows = Indices(std::move(all))](const Tensor& at, const Tensor& t) {
    return velocity(at, t, rows);
  };
  return solve(of_all, x, times, *solver.method, observer);
}

Solution solve_by(const AdaptiveOptions& solver, const RowVelocity& velocity, const Tensor& x,
                  const std::vector<double>& times, const Observer& observer) {
  const AdaptiveSolution found =
      solve_adaptive(velocity, x, observer ? times : std::vector{times.front(), times.back()}, solver);
  for (std::size_t i = 0; observer && i < times.size(); ++i) observer(static_cast<Index>(i), times[i], found.at[i]);
  return {.x = found.x, .evaluations = found.evaluations, .evaluated_rows = found.evaluated_rows};
}

}  // namespace

std::vector<double> report_times(const OdeSolver& solver, double start, double end) {
  const auto* fixed = std::get_if<FixedSteps>(&solver);
  return uniform_grid(start, end, fixed != nullptr ? fixed->steps : kReports);
}

Solution solve(const OdeSolver& solver, const RowVelocity& velocity, const Tensor& x, double start, double end,
               const Observer& observer) {
  const std::vector<double> times = report_times(solver, start, end);
  return std::visit([&](const auto& settings) { return solve_by(settings, velocity, x, times, observer); }, solver);
}

}  // namespace rill::flow
