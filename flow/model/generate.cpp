#include "flow/model/generate.hpp"

#include <algorithm>
#include <mutex>

#include "autodiff/error.hpp"
#include "flow/model/stochastic.hpp"
#include "flow/solver/row_groups.hpp"

namespace rill::flow {
namespace {

// The most points per group: enough rows to keep the matrix kernels busy and to amortize the overhead of ops, few
// enough that the input and output of a layer (a thousand rows of 64 numbers each take 512 KB) fit into L2. For points
// of high dimension, assume that layers are some tens of times as wide.
Index group_size(Index dimension) { return std::clamp<Index>(65536 / std::max<Index>(1, dimension), 16, 1000); }

std::vector<double> times_of(const OdeSolver& solver) { return report_times(solver, 0, 1); }
std::vector<double> times_of(const StochasticSteps& solver) { return uniform_grid(0, 1, solver.steps); }

// Each overload moves a group of points, which starts at row `begin` of the batch, from t = 0 to t = 1.
Solution move(const Dynamics& dynamics, const OdeSolver& solver, const Tensor& x, const Indices& labels, Index,
              const Observer& observer) {
  return solve(solver, with_row_labels(dynamics.velocity, labels), x, 0, 1, observer);
}
Solution move(const Dynamics& dynamics, const StochasticSteps& solver, const Tensor& x, const Indices& labels,
              Index begin, const Observer& observer) {
  require(dynamics.path != nullptr, "generate: stochastic steps need the path of the training");
  BrownianPath motion(solver.seed, x.shape(), 0, 1, begin);
  const Sde sde = sde_of(dynamics, labels, noise_level(dynamics.path, solver.noise));
  return solve(sde, x, times_of(solver), solver.method, motion, observer);
}

}  // namespace

Generated generate(const Dynamics& dynamics, const Tensor& x_0, const Indices& labels, const GenerateOptions& options) {
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
  Index evaluated_rows = 0;
  std::mutex mutex;  // guards `result`
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
    const Tensor x = slice(x_0, 0, begin, end);
    const Indices own_labels = labels_of_rows(labels, begin, end);
    const Solution moved = std::visit(
        [&](const auto& solver) { return move(dynamics, solver, x, own_labels, begin, observer); }, options.solver);
    keep(result.x, moved.x);
    const std::lock_guard lock(mutex);
    evaluated_rows += moved.evaluated_rows;
  });
  if (points > 0) result.evaluations = static_cast<double>(evaluated_rows) / static_cast<double>(points);
  return result;
}

}  // namespace rill::flow
