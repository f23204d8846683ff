#include "flow/neighbours.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "flow/pairwise.hpp"

namespace rill::flow {
namespace {

// Of some rows of x at once, so that the product that gives their distances is worth its preparation.
constexpr Index kRows = 256;

// visit(i, squared) for every row i of x with the squares of its distances to all rows of y; on several threads.
void for_each_row(const Tensor& x, const Tensor& y, const std::function<void(Index i, Real* squared)>& visit) {
  const NoGrad no_grad;
  for (Index begin = 0; begin < x.dim(0); begin += kRows) {
    const Index end = std::min(x.dim(0), begin + kRows);
    Tensor squared = pairwise_squared_distances(slice(x, 0, begin, end), y);
    Real* rows = squared.data();
    parallel_for(end - begin, 8, [&](Index first, Index last) {
      for (Index i = first; i < last; ++i) visit(begin + i, rows + i * y.dim(0));
    });
  }
}

void require_points(const char* what, const Tensor& x, Index least) {
  require(x.rank() == 2 && x.dim(0) >= least && x.dim(1) > 0, what, ": expected [n, D] with at least ", least,
          " points, got ", x.shape());
}

// The squared distance to the k-th nearest other row.
std::vector<Real> squared_radii(const Tensor& x, Index k) {
  std::vector<Real> radii(static_cast<std::size_t>(x.dim(0)));
  for_each_row(x, x, [&](Index i, Real* squared) {
    squared[i] = std::numeric_limits<Real>::infinity();  // not itself
    std::nth_element(squared, squared + k - 1, squared + x.dim(0));
    radii[static_cast<std::size_t>(i)] = squared[k - 1];
  });
  return radii;
}

// The share of the points that lie within the radius of a point of the set.
Estimate share_within(const Tensor& points, const Tensor& set, Index k) {
  const std::vector<Real> radii = squared_radii(set, k);
  Tensor within = Tensor::zeros({points.dim(0)});
  Real* found = within.data();
  for_each_row(points, set, [&](Index i, const Real* squared) {
    for (std::size_t j = 0; j < radii.size(); ++j) {
      if (!(squared[j] <= radii[j])) continue;  // a NaN is nowhere
      found[i] = 1;
      return;
    }
  });
  return share_of(within);
}

}  // namespace

Tensor nearest_distances(const Tensor& x, const Tensor& y) {
  require_points("nearest_distances", x, 0);
  require_points("nearest_distances", y, 1);
  const auto [from, to] = around_common_centre(x, y);
  Tensor nearest = Tensor::empty({x.dim(0)});
  Real* squares = nearest.data();
  const Index count = y.dim(0);
  for_each_row(from, to,
               [&](Index i, const Real* squared) { squares[i] = *std::min_element(squared, squared + count); });
  return sqrt(nearest);
}

PrecisionRecall precision_and_recall(const Tensor& data, const Tensor& samples, Index k) {
  require(k >= 1, "precision_and_recall: expected k of at least 1, got ", k);
  require_points("precision_and_recall", data, k + 1);
  require_points("precision_and_recall", samples, k + 1);
  const auto [a, b] = around_common_centre(data, samples);
  return {.precision = share_within(b, a, k), .recall = share_within(a, b, k)};
}

}  // namespace rill::flow
