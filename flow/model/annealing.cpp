#include "flow/model/annealing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/random_streams.hpp"
#include "flow/path/prediction.hpp"
#include "flow/solver/langevin.hpp"
#include "flow/solver/row_normals.hpp"

namespace rill::flow {
namespace {

constexpr Index kReports = 50;

// The score of dynamics at every time.
class ScoreOfDynamics final : public VelocityField {
 public:
  explicit ScoreOfDynamics(Dynamics dynamics)
      : VelocityField(dynamics.velocity->dimension(), dynamics.velocity->classes()), dynamics_(std::move(dynamics)) {}

  Tensor operator()(const Tensor& x, const Tensor& t, const Indices& labels) const override {
    return score_at(dynamics_, x, t, labels);
  }

 private:
  Dynamics dynamics_;
};

}  // namespace

ScoreLadder ladder_of(const Dynamics& dynamics, Index levels, double least_noise) {
  require_score(dynamics);
  require(1 <= levels && levels <= kMostLevels, "levels: expected 1 to ", kMostLevels, ", got ", levels);
  constexpr double kMost = 20;  // far more than the spread of standardized data
  const Scheduler& scheduler = dynamics.path->scheduler();
  const Coefficients start = scheduler.at(0.0);
  const double most = std::min(kMost, start.alpha > 0 ? start.sigma / start.alpha : kMost);
  require(0 < least_noise && least_noise < most, "least_noise: expected a number above 0 and below ", most, ", got ",
          least_noise);
  ScoreLadder ladder{std::make_shared<ScoreOfDynamics>(dynamics), {}};
  for (Index i = 0; i < levels; ++i) {
    const double share = levels > 1 ? static_cast<double>(i) / static_cast<double>(levels - 1) : 1;
    const double t = scheduler.time_of(1, most * std::pow(least_noise / most, share));
    const Coefficients c = scheduler.at(t);
    ladder.levels.push_back({t, c.alpha, c.sigma});
  }
  return ladder;
}

Index steps_at_level(const LangevinSteps& options, Index levels) {
  constexpr Index kInAll = 1000;
  return options.steps > 0 ? options.steps : std::max<Index>(1, kInAll / levels);
}

Index evaluations_of(const LangevinSteps& options, Index levels) {
  return steps_at_level(options, levels) * levels + 1;
}

std::vector<double> report_times(const LangevinSteps&) { return uniform_grid(0, 1, kReports); }

Solution anneal(const ScoreLadder& ladder, const Tensor& x, const Indices& labels, const LangevinSteps& options,
                Index first_row, const Observer& observer) {
  require(options.steps >= 0 && options.step_size > 0,
          "Langevin dynamics: expected 0 or more steps and a step size above 0, got ", options.steps, " and ",
          options.step_size);
  const NoGrad no_grad;
  Solution solution{.x = x.detach(), .evaluations = 0, .evaluated_rows = 0};
  const std::vector<double> times = report_times(options);
  const Index steps = steps_at_level(options, std::ssize(ladder.levels)), total = steps * std::ssize(ladder.levels);
  Index done = 0, reported = 0;
  double alpha = ladder.levels.front().alpha;
  solution.x = std::hypot(alpha, ladder.levels.front().sigma) * solution.x;
  const auto report = [&] {
    for (; observer && reported < kReports && reported * total <= kReports * done; ++reported) {
      observer(reported, times[static_cast<std::size_t>(reported)], solution.x / alpha);
    }
  };
  const auto score = [&](double t) {
    ++solution.evaluations;
    return (*ladder.score)(solution.x, Tensor::full({x.dim(0)}, t), labels);
  };
  for (const ScoreLevel& level : ladder.levels) {
    solution.x = level.alpha / alpha * solution.x;  // the data keep their size
    alpha = level.alpha;
    for (Index step = 0; step < steps; ++step) {
      check_interruption();
      report();
      const std::uint64_t stream = streams::kStepNoise + static_cast<std::uint64_t>(done);
      const Tensor z = row_normals(options.seed, stream, x.shape(), first_row);
      solution.x = langevin_step(solution.x, score(level.t), options.step_size * level.sigma * level.sigma, z);
      ++done;
    }
  }
  report();
  const ScoreLevel& last = ladder.levels.back();
  solution.x = (solution.x + last.sigma * last.sigma * score(last.t)) / last.alpha;
  if (observer) observer(kReports, 1, solution.x);
  solution.evaluated_rows = solution.evaluations * x.dim(0);
  return solution;
}

}  // namespace rill::flow
