#include "flow/metrics/wasserstein.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "autodiff/error.hpp"
#include "flow/solver/row_groups.hpp"
#include "flow/transport/assignment.hpp"
#include "flow/transport/pairwise.hpp"

namespace rill::flow {
namespace {

void require_sets(const char* what, const Tensor& a, const Tensor& b) {
  require(a.rank() == 2 && a.shape() == b.shape() && a.size() > 0, what,
          ": expected two sets of as many points [n, D], got ", a.shape(), " and ", b.shape());
}

// The mean cost of the optimal permutation of points in a unit in which they are of order 1. Its standard error is that
// of two independent sets, each through its potential.
Estimate transport_cost(const Tensor& a, const Tensor& b, PointCost cost) {
  const Assignment best = assignment_with_potentials(a, b, cost);
  std::vector<double> costs;
  for (Index i = 0; i < a.dim(0); ++i) {
    const Index j = best.partner[static_cast<std::size_t>(i)];
    const double squared = squared_distance(a.data() + i * a.dim(1), b.data() + j * a.dim(1), a.dim(1), 1);
    costs.push_back(cost == PointCost::kDistance ? std::sqrt(squared) : squared);
  }
  return {mean_of(costs).value, std::hypot(mean_of(best.row).standard_error, mean_of(best.column).standard_error)};
}

// The square root of an estimate, converted to another unit. Its error is propagated to first order; at 0, where that
// is undefined, it is the root of the error.
Estimate root(const Estimate& square, double unit) {
  const double value = std::sqrt(square.value), error = square.standard_error;
  return {value * unit, (value > 0 ? error / (2 * value) : std::sqrt(error)) * unit};
}

// [D, n]
std::vector<double> coordinates(const Tensor& points, double unit) {
  const Index n = points.dim(0), dimension = points.dim(1);
  std::vector<double> result(static_cast<std::size_t>(points.size()));
  for (Index i = 0; i < points.size(); ++i) {
    result[static_cast<std::size_t>(i % dimension * n + i / dimension)] = static_cast<double>(points.data()[i]) / unit;
  }
  return result;
}

// sum_d direction_d x_d of every point, in ascending order.
std::vector<double> sorted_projection(const std::vector<double>& direction, const std::vector<double>& coordinates) {
  const std::size_t n = coordinates.size() / direction.size();
  std::vector<double> result(n, 0);
  for (std::size_t d = 0; d < direction.size(); ++d) {
    for (std::size_t i = 0; i < n; ++i) result[i] += direction[d] * coordinates[d * n + i];
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

Estimate wasserstein1(const Tensor& a, const Tensor& b) {
  require_sets("wasserstein1", a, b);
  const double unit = common_unit("wasserstein1", a, b);
  const Estimate cost = transport_cost(in_unit(a, unit), in_unit(b, unit), PointCost::kDistance);
  return {cost.value * unit, cost.standard_error * unit};
}

Estimate wasserstein2(const Tensor& a, const Tensor& b) {
  require_sets("wasserstein2", a, b);
  const double unit = common_unit("wasserstein2", a, b);
  return root(transport_cost(in_unit(a, unit), in_unit(b, unit), PointCost::kSquaredDistance), unit);
}

Estimate sliced_wasserstein2(const Tensor& a, const Tensor& b, Generator& rng, Index directions) {
  require_sets("sliced_wasserstein2", a, b);
  require(directions >= 1, "sliced_wasserstein2: ", directions, " directions, expected at least 1");
  const double unit = common_unit("sliced_wasserstein2", a, b);
  const Index dimension = a.dim(1);
  const Tensor normal = Tensor::randn({directions, dimension}, rng);
  const std::vector<double> x = coordinates(a, unit), y = coordinates(b, unit);
  std::vector<double> squares(static_cast<std::size_t>(directions));
  for_row_groups(directions, 1, [&](Index begin, Index end) {
    for (Index k = begin; k < end; ++k) {
      const Real* row = normal.data() + k * dimension;
      std::vector<double> theta(row, row + dimension);
      const double length = std::sqrt(std::inner_product(theta.begin(), theta.end(), theta.begin(), 0.));
      for (double& value : theta) value /= length;
      const std::vector<double> p = sorted_projection(theta, x), q = sorted_projection(theta, y);
      double sum = 0;
      for (std::size_t i = 0; i < p.size(); ++i) sum += (p[i] - q[i]) * (p[i] - q[i]);
      squares[static_cast<std::size_t>(k)] = sum / static_cast<double>(p.size());
    }
  });
  return root(mean_of(squares), unit);
}

}  // namespace rill::flow
