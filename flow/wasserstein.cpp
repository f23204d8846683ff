#include "flow/wasserstein.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "flow/assignment.hpp"

namespace rill::flow {
namespace {

void require_sets(const char* what, const Tensor& a, const Tensor& b) {
  require(a.rank() == 2 && a.shape() == b.shape() && a.size() > 0, what,
          ": expected two sets of as many points [n, D], got ", a.shape(), " and ", b.shape());
}

double squared_distance(const Real* a, const Real* b, Index dimension) {
  double result = 0;
  for (Index d = 0; d < dimension; ++d) {
    const double difference = static_cast<double>(a[d]) - static_cast<double>(b[d]);
    result += difference * difference;
  }
  return result;
}

// The mean cost of the optimal permutation. Its deviation comes from the two independent sets, each through its
// potential.
Estimate transport_cost(const Tensor& a, const Tensor& b, PointCost cost) {
  const Assignment best = assignment_with_potentials(a, b, cost);
  std::vector<double> costs;
  for (Index i = 0; i < a.dim(0); ++i) {
    const Index j = best.partner[static_cast<std::size_t>(i)];
    const double squared = squared_distance(a.data() + i * a.dim(1), b.data() + j * a.dim(1), a.dim(1));
    costs.push_back(cost == PointCost::kDistance ? std::sqrt(squared) : squared);
  }
  return {mean_of(costs).value, std::hypot(mean_of(best.row).standard_error, mean_of(best.column).standard_error)};
}

// Of the root, to first order.
Estimate root(const Estimate& square) {
  const double value = std::sqrt(square.value);
  return {value, square.standard_error == 0 ? 0 : square.standard_error / (2 * value)};
}

}  // namespace

Estimate wasserstein1(const Tensor& a, const Tensor& b) {
  require_sets("wasserstein1", a, b);
  return transport_cost(a, b, PointCost::kDistance);
}

Estimate wasserstein2(const Tensor& a, const Tensor& b) {
  require_sets("wasserstein2", a, b);
  return root(transport_cost(a, b, PointCost::kSquaredDistance));
}

Estimate sliced_wasserstein2(const Tensor& a, const Tensor& b, Generator& rng, Index directions) {
  require_sets("sliced_wasserstein2", a, b);
  require(directions >= 1, "sliced_wasserstein2: ", directions, " directions, expected at least 1");
  const Tensor normal = Tensor::randn({directions, a.dim(1)}, rng);
  const Tensor theta = normal / sqrt(sum(square(normal), {.axes = {1}, .keep = true}));
  const Tensor x = matmul(theta, a.detach(), {.b = true});  // [directions, n]
  const Tensor y = matmul(theta, b.detach(), {.b = true});
  const Index n = a.dim(0);
  std::vector<double> squares;
  for (Index k = 0; k < directions; ++k) {
    std::vector<Real> p(x.data() + k * n, x.data() + (k + 1) * n), q(y.data() + k * n, y.data() + (k + 1) * n);
    std::sort(p.begin(), p.end());
    std::sort(q.begin(), q.end());
    squares.push_back(squared_distance(p.data(), q.data(), n) / static_cast<double>(n));
  }
  return root(mean_of(squares));
}

}  // namespace rill::flow
