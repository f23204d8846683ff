#include "flow/ode.hpp"

#include <array>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::flow {

const Tableau& find_tableau(std::string_view name) {
  std::string known;
  for (const Tableau* tableau : kTableaus) {
    if (tableau->name == name) return *tableau;
    known.append(known.empty() ? "" : ", ").append(tableau->name);
  }
  fail("unknown solver '", name, "'; known: ", known);
}

std::vector<double> uniform_grid(double start, double end, Index steps) {
  require(steps >= 1, "time grid: expected at least 1 step, got ", steps);
  std::vector<double> times;
  for (Index i = 0; i <= steps; ++i) {
    const double w = static_cast<double>(i) / static_cast<double>(steps);
    times.push_back((1 - w) * start + w * end);
  }
  return times;
}

namespace {

// x + h sum_j weights_j k_j, leaving out the zeros.
Tensor advance(Tensor x, double h, const std::array<double, kMaxStages>& weights, const std::vector<Tensor>& k) {
  for (std::size_t j = 0; j < k.size(); ++j) {
    if (weights[j] != 0) x = x + (h * weights[j]) * k[j];
  }
  return x;
}

}  // namespace

Solution solve(const Velocity& velocity, const Tensor& x, const std::vector<double>& times, const Tableau& method,
               const Observer& observer) {
  require(times.size() >= 2, "solve: expected at least two times, got ", times.size());
  require(x.rank() >= 1, "solve: expected points [N, ...], got a scalar");
  for (std::size_t i = 1; i < times.size(); ++i) {
    require((times[i] - times[i - 1]) * (times[1] - times[0]) > 0, "solve: times must go strictly one way; found ",
            times[i - 1], " then ", times[i]);
  }

  Solution solution{.x = x, .evaluations = 0};
  if (observer) observer(0, times[0], x);
  std::vector<Tensor> k;
  for (std::size_t step = 0; step + 1 < times.size(); ++step) {
    const double t = times[step], h = times[step + 1] - t;
    k.clear();
    for (std::size_t i = 0; i < static_cast<std::size_t>(method.stages); ++i) {
      const Tensor at = advance(solution.x, h, method.a[i], k);
      k.push_back(velocity(at, Tensor::full({x.dim(0)}, t + method.c[i] * h)));
      ++solution.evaluations;
    }
    solution.x = advance(solution.x, h, method.b, k);
    if (observer) observer(static_cast<Index>(step) + 1, times[step + 1], solution.x);
  }
  return solution;
}

}  // namespace rill::flow
