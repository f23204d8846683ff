#include "flow/model/generate.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "autodiff/error.hpp"
#include "flow/model/stochastic.hpp"
#include "flow/path/forward_sde.hpp"
#include "flow/path/prediction.hpp"
#include "flow/solver/row_groups.hpp"

namespace rill::flow {
namespace {

std::vector<double> times_of(const OdeSolver& solver) { return report_times(solver, 0, 1); }
std::vector<double> times_of(const StochasticSteps& solver) { return uniform_grid(0, 1, solver.steps); }
std::vector<double> times_of(const AncestralSteps& solver) { return uniform_grid(0, 1, solver.steps); }
std::vector<double> times_of(const LangevinSteps& solver) { return report_times(solver); }

// Each overload moves a group of points, which starts at row `begin` of the batch, from t = 0 to t = 1.
Solution move(const Dynamics& dynamics, const OdeSolver& solver, const Tensor& x, const Indices& labels, Index,
              const Observer& observer) {
  return solve(solver, with_row_labels(dynamics.velocity, labels), x, 0, 1, observer);
}
Solution move(const Dynamics& dynamics, const StochasticSteps& solver, const Tensor& x, const Indices& labels,
              Index begin, const Observer& observer) {
  BrownianPath motion(solver.seed, x.shape(), 0, 1, begin);
  const Sde sde = sde_of(dynamics, labels, noise_level(dynamics, solver.noise));
  return solve(sde, x, times_of(solver), solver.method, motion, observer);
}
Solution move(const Dynamics& dynamics, const AncestralSteps& solver, const Tensor& x, const Indices& labels,
              Index begin, const Observer& observer) {
  require_score(dynamics);
  const Scheduler& scheduler = dynamics.path->scheduler();
  const Velocity data = [&](const Tensor& at, const Tensor& t) {
    const Tensor u = (*dynamics.velocity)(at, t, labels);
    return convert(u, Prediction::kVelocity, Prediction::kData, at, t, scheduler);
  };
  return solve(data, scheduler, x, solver, begin, observer);
}
// The source is as wide as the noise at t = 0.
Solution move(const Dynamics& dynamics, const LangevinSteps& solver, const Tensor& x, const Indices& labels,
              Index begin, const Observer& observer) {
  const ScoreLadder ladder = ladder_of(dynamics, solver.levels, solver.least_noise);
  return anneal(ladder, x / noise_deviation(dynamics.path->scheduler()), labels, solver, begin, observer);
}

// Moves groups of points by move(x, labels, begin, observer), which reports at `times`.
template <class Move>
Generated in_groups(const Tensor& x_0, const Indices& labels, std::vector<double> times, bool keep_trajectory,
                    const Move& move_group) {
  require(x_0.rank() == 2, "generate: expected source points [N, D], got ", x_0.shape());
  require(labels.size() == 0 || labels.size() == x_0.dim(0), "generate: ", labels.size(), " labels for ", x_0.dim(0),
          " points");
  const Index points = x_0.dim(0), dimension = x_0.dim(1);

  Generated result;
  result.x = Tensor::empty(x_0.shape());
  result.times = std::move(times);
  if (keep_trajectory) {
    for (std::size_t i = 0; i < result.times.size(); ++i) result.trajectory.push_back(Tensor::empty(x_0.shape()));
  }
  Index evaluated_rows = 0;
  std::mutex mutex;  // guards `result`
  for_row_groups(points, rows_in_cache(dimension), [&](Index begin, Index end) {
    const auto keep = [&](Tensor& all, const Tensor& part) {
      std::copy_n(part.data(), part.size(), all.data() + begin * dimension);
    };
    Observer observer;
    if (keep_trajectory) {
      observer = [&](Index position, double, const Tensor& x) {
        keep(result.trajectory[static_cast<std::size_t>(position)], x);
      };
    }
    const Solution moved = move_group(slice(x_0, 0, begin, end), labels_of_rows(labels, begin, end), begin, observer);
    keep(result.x, moved.x);
    const std::lock_guard lock(mutex);
    evaluated_rows += moved.evaluated_rows;
  });
  if (points > 0) result.evaluations = static_cast<double>(evaluated_rows) / static_cast<double>(points);
  return result;
}

}  // namespace

Generated generate(const Dynamics& dynamics, const Tensor& x_0, const Indices& labels, const GenerateOptions& options) {
  return std::visit(
      [&](const auto& solver) {
        return in_groups(x_0, labels, times_of(solver), options.keep_trajectory,
                         [&](const Tensor& x, const Indices& own_labels, Index begin, const Observer& observer) {
                           return move(dynamics, solver, x, own_labels, begin, observer);
                         });
      },
      options.solver);
}

Generated generate(const ScoreLadder& ladder, const Tensor& x, const Indices& labels, const LangevinSteps& options,
                   bool keep_trajectory) {
  return in_groups(x, labels, times_of(options), keep_trajectory,
                   [&](const Tensor& group, const Indices& own_labels, Index begin, const Observer& observer) {
                     return anneal(ladder, group, own_labels, options, begin, observer);
                   });
}

}  // namespace rill::flow
