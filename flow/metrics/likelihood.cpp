#include "flow/metrics/likelihood.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "flow/metrics/estimate.hpp"
#include "flow/solver/row_groups.hpp"

namespace rill::flow {

Tensor standard_normal_log_density(const Tensor& x) {
  require(x.rank() >= 2, "standard normal: expected points [N, ...], got ", x.shape());
  const Tensor rows = reshape(x, {x.dim(0), -1});
  const double log_normalizer = static_cast<double>(rows.dim(1)) / 2 * std::log(2 * std::numbers::pi);
  return sum(square(rows), {.axes = {1}}) * -0.5 - log_normalizer;
}

namespace {

struct Estimates {
  Tensor log_p;  // [N, probes], one for each probe, or [N, 1]
  Tensor x_0;
  Index evaluations;
};

// Follows (x, l_1, ..., l_K) from t = 1 to t = 0, where dl_k/dt is the k-th estimate of div u and l_k = 0 at t = 1.
Estimates follow_back(const RowVelocity& velocity, const Tensor& x_1, const std::vector<Tensor>& probes,
                      const LikelihoodOptions& options) {
  const Index points = x_1.dim(0), dimension = x_1.size() / points;
  const Index columns = probes.empty() ? 1 : static_cast<Index>(probes.size());
  const auto position = [&](const Tensor& state) {
    Shape shape = x_1.shape();
    shape[0] = state.dim(0);
    return reshape(slice(state, 1, 0, dimension), shape);
  };
  const RowVelocity augmented = [&](const Tensor& state, const Tensor& t, const Indices& rows) {
    std::vector<Tensor> own_probes;
    for (const Tensor& probe : probes) own_probes.push_back(gather_rows(probe, rows));
    const Velocity of_rows = [&](const Tensor& x, const Tensor& time) { return velocity(x, time, rows); };
    const VelocityDivergence at = velocity_and_divergence(of_rows, position(state), t, own_probes);
    return concatenate({reshape(at.velocity, {state.dim(0), dimension}), at.divergence}, 1);
  };
  const Tensor start = concatenate({reshape(x_1, {points, dimension}), Tensor::zeros({points, columns})}, 1);
  const Solution end = solve(options.solver, augmented, start, 1, 0);
  require(end.evaluations > 1,
          "likelihood: the solver takes a single step of one evaluation, for which the instantaneous change of "
          "variables does not hold; take more steps, or a method of higher order");
  const Tensor x_0 = position(end.x);
  const Tensor log_p_0 = options.source(x_0);
  require(log_p_0.shape() == Shape{points}, "likelihood: the source's log density of ", points, " points has shape ",
          log_p_0.shape(), ", expected [", points, "]");
  return {reshape(log_p_0, {points, 1}) + slice(end.x, 1, dimension, dimension + columns), x_0, end.evaluations};
}

std::vector<Tensor> probes_for(const Tensor& x_1, const LikelihoodOptions& options) {
  require(x_1.rank() >= 2 && x_1.size() > 0, "likelihood: expected points [N, ...], N > 0, got ", x_1.shape());
  if (options.trace == Trace::kExact) return {};
  Generator rng(options.seed);
  return draw_probes(options.trace, options.probes, x_1.shape(), rng);
}

// The most points per group: the graph of one evaluation should fit into a core's cache (see also
// rows_in_cache).
Index group_size(Index dimension) { return std::clamp<Index>(16384 / dimension, 16, 500); }

Likelihood in_groups(const RowVelocity& velocity, const Tensor& x_1, const LikelihoodOptions& options) {
  const std::vector<Tensor> probes = probes_for(x_1, options);
  const Index points = x_1.dim(0), dimension = x_1.size() / points;
  Likelihood result{
      .log_p = Tensor::empty({points}), .standard_error = Tensor::empty({points}), .x_0 = Tensor::empty(x_1.shape())};
  std::mutex mutex;
  for_row_groups(points, group_size(dimension), [&](Index begin, Index end) {
    std::vector<Tensor> own_probes;
    for (const Tensor& probe : probes) own_probes.push_back(slice(probe, 0, begin, end));
    const RowVelocity of_group = [&velocity, begin](const Tensor& x, const Tensor& t, const Indices& rows) {
      std::vector<Index> all_rows(rows.begin(), rows.end());
      for (Index& row : all_rows) row += begin;
      return velocity(x, t, Indices(std::move(all_rows)));
    };
    const Estimates found = follow_back(of_group, slice(x_1, 0, begin, end), own_probes, options);
    std::copy_n(found.x_0.data(), found.x_0.size(), result.x_0.data() + begin * dimension);
    const Index count = found.log_p.dim(1);
    for (Index n = begin; n < end; ++n) {
      const Real* estimates = found.log_p.data() + (n - begin) * count;
      const auto [mean, standard_error] = mean_of(std::vector<double>(estimates, estimates + count));
      result.log_p.data()[n] = static_cast<Real>(mean);
      result.standard_error.data()[n] = options.trace == Trace::kExact ? 0 : static_cast<Real>(standard_error);
    }
    const std::lock_guard lock(mutex);
    result.evaluations = std::max(result.evaluations, found.evaluations);
  });
  return result;
}

}  // namespace

Likelihood log_likelihood(const Velocity& velocity, const Tensor& x_1, const LikelihoodOptions& options) {
  return in_groups(for_any_rows(velocity), x_1, options);
}

Likelihood log_likelihood(std::shared_ptr<const VelocityField> field, const Tensor& x_1, const Indices& labels,
                          const LikelihoodOptions& options) {
  require(labels.size() == 0 || labels.size() == x_1.dim(0), "likelihood: ", labels.size(), " labels for ", x_1.dim(0),
          " points");
  return in_groups(with_row_labels(std::move(field), labels), x_1, options);
}

}  // namespace rill::flow
