#include "flow/discrepancy.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <numeric>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "flow/pairwise.hpp"

namespace rill::flow {
namespace {

constexpr Index kBlockNumbers = Index{1} << 18;  // a block of pairs that stays in cache

using Kernel = std::function<Tensor(const Tensor& squared_distances)>;

// For each point, the sum of the kernel with the points of the other set; of the same set, with all but itself.
struct PairSums {
  std::vector<double> rows, columns;
};

PairSums pair_sums(const Tensor& x, const Tensor& y, const Kernel& kernel, bool same) {
  const Index n = x.dim(0), m = y.dim(0), block = std::max<Index>(1, kBlockNumbers / m);
  PairSums sums{{}, std::vector<double>(static_cast<std::size_t>(m), 0)};
  for (Index begin = 0; begin < n; begin += block) {
    const Index end = std::min(n, begin + block);
    Tensor values = kernel(pairwise_squared_distances(slice(x, 0, begin, end), y));
    for (Index i = begin; same && i < end; ++i) values.data()[(i - begin) * m + i] = 0;
    const Tensor rows = sum(values, {.axes = {1}}), columns = sum(values, {.axes = {0}});
    sums.rows.insert(sums.rows.end(), rows.values().begin(), rows.values().end());
    for (Index j = 0; j < m; ++j) sums.columns[static_cast<std::size_t>(j)] += static_cast<double>(columns.data()[j]);
  }
  return sums;
}

double total(const std::vector<double>& terms) { return std::accumulate(terms.begin(), terms.end(), 0.0); }

// (n - 1) / n sum_i (T_i - mean of T)^2, where T_i is the statistic without the i-th point of one set: of that set's
// own pairs `own_total` less both places of point i are left, and of the pairs with the m others all but its own.
double jackknife_variance(const std::vector<double>& own, const std::vector<double>& with_others, double m) {
  const double n = static_cast<double>(own.size()), own_total = total(own), others_total = total(with_others);
  std::vector<double> without;
  for (std::size_t i = 0; i < own.size(); ++i) {
    without.push_back((own_total - 2 * own[i]) / ((n - 1) * (n - 2)) -
                      2 * (others_total - with_others[i]) / ((n - 1) * m));
  }
  const double error = mean_of(without).standard_error;  // whose square is sum_i (T_i - mean)^2 / (n (n - 1))
  return error * error * (n - 1) * (n - 1);
}

// E k(x, x') + E k(y, y') - 2 E k(x, y)
Estimate two_sample_statistic(const Tensor& x, const Tensor& y, const Kernel& kernel) {
  const PairSums xx = pair_sums(x, x, kernel, true), yy = pair_sums(y, y, kernel, true);
  const PairSums xy = pair_sums(x, y, kernel, false);
  const double n = static_cast<double>(x.dim(0)), m = static_cast<double>(y.dim(0));
  const double value = total(xx.rows) / (n * (n - 1)) + total(yy.rows) / (m * (m - 1)) - 2 * total(xy.rows) / (n * m);
  return {value, std::sqrt(jackknife_variance(xx.rows, xy.rows, m) + jackknife_variance(yy.rows, xy.columns, n))};
}

void require_samples(const char* what, const Tensor& x, const Tensor& y) {
  require(x.rank() == 2 && y.rank() == 2 && x.dim(1) == y.dim(1) && x.dim(1) > 0 && x.dim(0) >= 3 && y.dim(0) >= 3,
          what, ": expected [n, D] and [m, D] with at least 3 points each, got ", x.shape(), " and ", y.shape());
}

}  // namespace

Estimate energy_distance(const Tensor& x, const Tensor& y) {
  require_samples("energy_distance", x, y);
  const auto [a, b] = around_common_centre(x, y);
  return two_sample_statistic(a, b, [](const Tensor& squared) { return -sqrt(squared); });
}

Estimate squared_mmd(const Tensor& x, const Tensor& y, std::span<const double> bandwidths) {
  require_samples("squared_mmd", x, y);
  std::vector<double> s(bandwidths.begin(), bandwidths.end());
  if (s.empty()) {
    const double median = median_distance(x, y);
    require(median > 0, "squared_mmd: half of the points are equal; give the bandwidths");
    for (const double factor : {0.25, 0.5, 1., 2., 4.}) s.push_back(factor * median);
  }
  require(std::all_of(s.begin(), s.end(), [](double width) { return width > 0 && std::isfinite(width); }),
          "squared_mmd: a bandwidth is not a positive number");
  const auto [a, b] = around_common_centre(x, y);
  return two_sample_statistic(a, b, [&](const Tensor& squared) {
    Tensor sum = exp(squared * (-0.5 / (s[0] * s[0])));
    for (std::size_t k = 1; k < s.size(); ++k) sum = sum + exp(squared * (-0.5 / (s[k] * s[k])));
    return sum / static_cast<double>(s.size());
  });
}

double median_distance(const Tensor& x, const Tensor& y) {
  require_samples("median_distance", x, y);
  static constexpr Index kEnough = 500;
  const auto [a, b] = around_common_centre(x, y);
  const auto first = [](const Tensor& points) { return slice(points, 0, 0, std::min(kEnough, points.dim(0))); };
  const Tensor points = concatenate({first(a), first(b)}, 0);
  const Tensor squared = pairwise_squared_distances(points, points);
  std::vector<Real> pairs;
  for (Index i = 0; i < points.dim(0); ++i) {
    const Real* row = squared.data() + i * points.dim(0);
    pairs.insert(pairs.end(), row, row + i);
  }
  const auto middle = pairs.begin() + std::ssize(pairs) / 2;
  std::nth_element(pairs.begin(), middle, pairs.end());
  return std::sqrt(static_cast<double>(*middle));
}

Estimate negative_log_likelihood(const Tensor& log_q) { return mean_of(-log_q.detach()); }

Estimate kl_divergence(const Tensor& log_p, const Tensor& log_q) {
  require(log_p.shape() == log_q.shape(), "kl_divergence: expected as many log densities, got ", log_p.shape(), " and ",
          log_q.shape());
  return mean_of(log_p.detach() - log_q.detach());
}

}  // namespace rill::flow
