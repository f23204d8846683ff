#include "flow/metrics/neighbors.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/parallel.hpp"
#include "flow/transport/pairwise.hpp"

namespace rill::flow {
namespace {

// Rows of x per matrix product of distances: enough to repay its setup.
constexpr Index kRows = 256;

// Calls visit(i, squared) for every row i of x, with its squared distances to all rows of y; on several threads.
void for_each_row(const SquaredDistances& distances, Index rows, Index columns,
                  const std::function<void(Index i, Real* squared)>& visit) {
  for (Index begin = 0; begin < rows; begin += kRows) {
    const Index end = std::min(rows, begin + kRows);
    Tensor squared = distances.rows(begin, end);
    Real* numbers = squared.data();
    parallel_for(end - begin, 8, [&](Index first, Index last) {
      for (Index i = first; i < last; ++i) visit(begin + i, numbers + i * columns);
    });
  }
}

void require_points(const char* what, const Tensor& x, Index least) {
  require(x.rank() == 2 && x.dim(0) >= least && x.dim(1) > 0, what, ": expected [n, D] with at least ", least,
          " points, got ", x.shape());
}

// Each row's squared distance to the k-th nearest other row, in the unit.
std::vector<Real> squared_radii(const Tensor& x, Index k, double unit) {
  const Index count = x.dim(0);
  std::vector<Real> radii(static_cast<std::size_t>(count));
  for_each_row(SquaredDistances(x, x, unit), count, count, [&](Index i, Real* squared) {
    squared[i] = std::numeric_limits<Real>::infinity();  // not itself
    std::nth_element(squared, squared + k - 1, squared + count);
    radii[static_cast<std::size_t>(i)] = squared[k - 1];
  });
  return radii;
}

// The fraction of the points that lie within the radius of a point of the set.
Estimate share_within(const Tensor& points, const Tensor& set, Index k, double unit) {
  const std::vector<Real> radii = squared_radii(set, k, unit);
  Tensor within = Tensor::zeros({points.dim(0)});
  Real* found = within.data();
  for_each_row(SquaredDistances(points, set, unit), points.dim(0), set.dim(0), [&](Index i, const Real* squared) {
    for (std::size_t j = 0; j < radii.size(); ++j) {
      if (squared[j] > radii[j]) continue;
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
  const double unit = common_unit("nearest_distances", x, y);
  const SquaredDistances distances(x, y, unit);
  Tensor nearest = Tensor::empty({x.dim(0)});
  Real* result = nearest.data();
  const Index count = y.dim(0);
  for_each_row(distances, x.dim(0), count, [&](Index i, const Real* squared) {
    // Candidates that the product's rounding may have ordered wrongly are compared in double.
    constexpr double kRounding = 1e-4;
    const double limit = static_cast<double>(*std::min_element(squared, squared + count)) * (1 + kRounding);
    double least = std::numeric_limits<double>::infinity();
    for (Index j = 0; j < count; ++j) {
      if (static_cast<double>(squared[j]) <= limit) least = std::min(least, distances.exact(i, j));
    }
    result[i] = static_cast<Real>(std::sqrt(least) * unit);
  });
  return nearest;
}

PrecisionRecall precision_and_recall(const Tensor& data, const Tensor& samples, Index k) {
  require(k >= 1, "precision_and_recall: expected k of at least 1, got ", k);
  require_points("precision_and_recall", data, k + 1);
  require_points("precision_and_recall", samples, k + 1);
  const double unit = common_unit("precision_and_recall", data, samples);
  return {.precision = share_within(samples, data, k, unit), .recall = share_within(data, samples, k, unit)};
}

}  // namespace rill::flow
