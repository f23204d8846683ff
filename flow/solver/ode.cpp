#include "flow/solver/ode.hpp"

#include "autodiff/error.hpp"
#include "flow/solver/runge_kutta.hpp"

namespace rill::flow {

std::vector<double> uniform_grid(double start, double end, Index steps) {
  require(steps >= 1, "time grid: expected at least 1 step, got ", steps);
  std::vector<double> times;
  for (Index i = 0; i <= steps; ++i) {
    const double w = static_cast<double>(i) / static_cast<double>(steps);
    times.push_back((1 - w) * start + w * end);
  }
  return times;
}

void require_grid(const std::vector<double>& times) {
  require(times.size() >= 2, "solve: expected at least two times, got ", times.size());
  for (std::size_t i = 1; i < times.size(); ++i) {
    require((times[i] - times[i - 1]) * (times[1] - times[0]) > 0, "solve: times must be strictly monotonic; found ",
            times[i - 1], " then ", times[i]);
  }
}

Solution solve(const Velocity& velocity, const Tensor& x, const std::vector<double>& times, const Tableau& method,
               const Observer& observer) {
  require_grid(times);
  require(x.rank() >= 1, "solve: expected points [N, ...], got a scalar");
  const RowVelocity of_rows = for_any_rows(velocity);
  Field field{of_rows};
  Tensor at = x;
  if (observer) observer(0, times[0], at);
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    Step step{.x = at, .rows = {}, .t = {times[i]}, .h = {times[i + 1] - times[i]}, .k = {}, .x_next = {}};
    take_step(method, field, step);
    at = step.x_next;
    if (observer) observer(static_cast<Index>(i) + 1, times[i + 1], at);
  }
  return {.x = at, .evaluations = field.evaluations, .evaluated_rows = field.evaluated_rows};
}

}  // namespace rill::flow
