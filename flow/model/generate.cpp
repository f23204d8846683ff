#include "flow/model/generate.hpp"

#include <algorithm>
#include <mutex>

#include "autodiff/error.hpp"
#include "flow/model/model_sde.hpp"
#include "flow/solver/ode.hpp"
#include "flow/solver/row_groups.hpp"

namespace rill::flow {

Velocity velocity_of(const nn::VelocityModel& model, const Indices& labels) {
  return [&model, labels](const Tensor& x, const Tensor& t) { return model.forward(x, t, labels); };
}

namespace {

// Points moved together, at most: enough rows to keep the matrix kernels busy and to spread the cost of recording ops,
// few enough that a layer's input and output (a thousand rows of 64 numbers each take 512 KB) stay in the second-level
// cache. Where a point itself has many numbers, a layer has some tens of times as many.
Index group_size(Index dimension) { return std::clamp<Index>(65536 / std::max<Index>(1, dimension), 16, 1000); }

// The times that adaptive steps are reported at.
constexpr Index kReports = 50;

// One group of points, which starts at row `begin` of the batch.
struct Group {
  const nn::VelocityModel& model;
  const Tensor x;
  const Indices labels;
  const std::vector<double>& times;
  Index begin;

  // Each returns the points at t = 1 and the evaluations of all rows together.
  struct Moved {
    Tensor x;
    Index row_evaluations;
  };
  Moved move(const FixedSteps& solver, const Observer& observer) const {
    const Solution end = solve(velocity_of(model, labels), x, times, *solver.method, observer);
    return {end.x, end.evaluations * x.dim(0)};
  }
  Moved move(const AdaptiveOptions& solver, const Observer& observer) const {
    const RowVelocity velocity = [this](const Tensor& at, const Tensor& t, const Indices& rows) {
      return model.forward(at, t, labels_of_rows(labels, rows));
    };
    const AdaptiveSolution end =
        solve_adaptive(velocity, x, observer ? times : std::vector{times.front(), times.back()}, solver);
    for (std::size_t i = 0; observer && i < times.size(); ++i) observer(static_cast<Index>(i), times[i], end.at[i]);
    return {end.x, end.evaluated_rows};
  }
  Moved move(const StochasticSteps& solver, const Observer& observer) const {
    require(solver.path && solver.g, "generate: stochastic steps need the path of the training and a noise level g");
    BrownianPath motion(solver.seed, x.shape(), 0, 1, begin);
    const Sde sde = sde_of_model(model, labels, *solver.path, solver.g);
    const Solution end = solve(sde, x, times, solver.method, motion, observer);
    return {end.x, end.evaluations * x.dim(0)};
  }
};

std::vector<double> times_of(const FixedSteps& solver) { return uniform_grid(0, 1, solver.steps); }
std::vector<double> times_of(const AdaptiveOptions&) { return uniform_grid(0, 1, kReports); }
std::vector<double> times_of(const StochasticSteps& solver) { return uniform_grid(0, 1, solver.steps); }

}  // namespace

Generated generate(const nn::VelocityModel& model, const Tensor& x_0, const Indices& labels,
                   const GenerateOptions& options) {
  require(x_0.rank() == 2, "generate: expected source points [N, D], got ", x_0.shape());
  require(labels.size() == 0 || labels.size() == x_0.dim(0), "generate: ", labels.size(), " labels for ", x_0.dim(0),
          " points");
  const Index points = x_0.dim(0), dimension = x_0.dim(1);

  Generated result;
  result.x = Tensor::empty(x_0.shape());
  result.times = std::visit([](const auto& solver) { return times_of(solver); }, options.solver);
  if (options.keep_trajectory) {
    for (std::size_t i = 0; i < result.times.size(); ++i) result.trajectory.push_back(Tensor::empty(x_0.shape()));
  }
  Index row_evaluations = 0;
  std::mutex mutex;  // guards it
  for_row_groups(points, group_size(dimension), [&](Index begin, Index end) {
    const auto keep = [&](Tensor& all, const Tensor& part) {
      std::copy_n(part.data(), part.size(), all.data() + begin * dimension);
    };
    Observer observer;
    if (options.keep_trajectory) {
      observer = [&](Index position, double, const Tensor& x) {
        keep(result.trajectory[static_cast<std::size_t>(position)], x);
      };
    }
    const Group group{model, slice(x_0, 0, begin, end), labels_of_rows(labels, begin, end), result.times, begin};
    const Group::Moved moved =
        std::visit([&](const auto& solver) { return group.move(solver, observer); }, options.solver);
    keep(result.x, moved.x);
    const std::lock_guard lock(mutex);
    row_evaluations += moved.row_evaluations;
  });
  if (points > 0) result.evaluations = static_cast<double>(row_evaluations) / static_cast<double>(points);
  return result;
}

}  // namespace rill::flow
