#include "flow/metrics/discrepancy.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <numeric>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "flow/transport/pairwise.hpp"

namespace rill::flow {
namespace {

constexpr Index kBlockNumbers = Index{1} << 18;  // pairs in a block, which fits into cache

// A kernel, as a function of squared distances in the unit.
using Kernel = std::function<Tensor(const Tensor& squared_distances)>;

// For each point, the sum of the kernel with all points of the other set, or with all other points of its own set.
struct PairSums {
  std::vector<double> rows, columns;
};

PairSums pair_sums(const Tensor& x, const Tensor& y, double unit, const Kernel& kernel, bool same) {
  const NoGrad no_grad;
  const Index n = x.dim(0), m = y.dim(0), block = std::max<Index>(1, kBlockNumbers / m);
  const SquaredDistances distances(x, y, unit);
  PairSums sums{{}, std::vector<double>(static_cast<std::size_t>(m), 0)};
  for (Index begin = 0; begin < n; begin += block) {
    const Index end = std::min(n, begin + block);
    const Tensor values = kernel(distances.rows(begin, end));
    for (Index i = begin; i < end; ++i) {
      const Real* row = values.data() + (i - begin) * m;
      double of_row = 0;
      for (Index j = 0; j < m; ++j) {
        const double value = same && i == j ? 0 : static_cast<double>(row[j]);
        of_row += value;
        sums.columns[static_cast<std::size_t>(j)] += value;
      }
      sums.rows.push_back(of_row);
    }
  }
  return sums;
}

double total(const std::vector<double>& terms) { return std::accumulate(terms.begin(), terms.end(), 0.0); }

// (n - 1) / n sum_i (T_i - mean of T)^2, where T_i is the statistic without the i-th point of one set: its pairs, which
// count twice within the set and once with the m points of the other set, are subtracted from the totals.
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
Estimate two_sample_statistic(const Tensor& x, const Tensor& y, double unit, const Kernel& kernel) {
  const PairSums xx = pair_sums(x, x, unit, kernel, true), yy = pair_sums(y, y, unit, kernel, true);
  const PairSums xy = pair_sums(x, y, unit, kernel, false);
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
  const double unit = common_unit("energy_distance", x, y);
  const auto [value, error] = two_sample_statistic(x, y, unit, [](const Tensor& squared) { return -sqrt(squared); });
  return {value * unit, error * unit};
}

Estimate squared_mmd(const Tensor& x, const Tensor& y, std::span<const double> bandwidths) {
  require_samples("squared_mmd", x, y);
  require_finite("squared_mmd", x);
  require_finite("squared_mmd", y);
  std::vector<double> s(bandwidths.begin(), bandwidths.end());
  if (s.empty()) {
    const double median = median_distance(x, y);
    require(median > 0, "squared_mmd: half of the points are equal; give the bandwidths");
    for (const double factor : {0.25, 0.5, 1., 2., 4.}) s.push_back(factor * median);
  }
  require(std::all_of(s.begin(), s.end(), [](double width) { return width > 0 && std::isfinite(width); }),
          "squared_mmd: a bandwidth is not a positive number");
  // In this unit, distances that overflow a Real are so large that every kernel is 0.
  const double unit = *std::max_element(s.begin(), s.end());
  return two_sample_statistic(x, y, unit, [&](const Tensor& squared) {
    Tensor sum = Tensor::zeros(squared.shape());
    for (const double width : s) {
      const double slope = -0.5 * (unit / width) * (unit / width);
      sum = sum + exp(squared * std::max(slope, static_cast<double>(std::numeric_limits<Real>::lowest())));
    }
    return sum / static_cast<double>(s.size());
  });
}

double median_distance(const Tensor& x, const Tensor& y) {
  require_samples("median_distance", x, y);
  static constexpr Index kEnough = 500;
  const double unit = common_unit("median_distance", x, y);
  const auto first = [](const Tensor& points) {
    return slice(points.detach(), 0, 0, std::min(kEnough, points.dim(0)));
  };
  const Tensor points = concatenate({first(x), first(y)}, 0);
  const Index dimension = points.dim(1);
  std::vector<double> pairs;
  for (Index i = 0; i < points.dim(0); ++i) {
    for (Index j = 0; j < i; ++j) {
      const Real *a = points.data() + i * dimension, *b = points.data() + j * dimension;
      pairs.push_back(squared_distance(a, b, dimension, unit));
    }
  }
  const auto middle = pairs.begin() + std::ssize(pairs) / 2;
  std::nth_element(pairs.begin(), middle, pairs.end());
  return std::sqrt(*middle) * unit;
}

Estimate negative_log_likelihood(const Tensor& log_q) { return mean_of(-log_q.detach()); }

Estimate kl_divergence(const Tensor& log_p, const Tensor& log_q) {
  require(log_p.shape() == log_q.shape(), "kl_divergence: expected as many log densities, got ", log_p.shape(), " and ",
          log_q.shape());
  std::vector<double> differences;
  for (Index i = 0; i < log_p.size(); ++i) {
    differences.push_back(static_cast<double>(log_p.data()[i]) - static_cast<double>(log_q.data()[i]));
  }
  return mean_of(differences);
}

}  // namespace rill::flow
