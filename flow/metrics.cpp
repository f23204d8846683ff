#include "flow/metrics.hpp"

#include <cmath>
#include <vector>

#include "autodiff/error.hpp"
#include "flow/assignment.hpp"

namespace rill::flow {

double wasserstein2(const Tensor& a, const Tensor& b) {
  require(a.rank() == 2 && a.shape() == b.shape() && a.dim(0) > 0,
          "wasserstein2: expected two sets of points [n, D], got ", a.shape(), " and ", b.shape());
  const Index n = a.dim(0);
  const std::vector<double> cost = squared_distances(a, b);
  const std::vector<Index> partner = solve_assignment(cost, n);
  double total = 0;
  for (Index i = 0; i < n; ++i) total += cost[static_cast<std::size_t>(i * n + partner[static_cast<std::size_t>(i)])];
  return std::sqrt(total / static_cast<double>(n));
}

}  // namespace rill::flow
