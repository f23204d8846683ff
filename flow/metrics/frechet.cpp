#include "flow/metrics/frechet.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/interruption.hpp"
#include "autodiff/parallel.hpp"
#include "flow/transport/pairwise.hpp"

namespace rill::flow {
namespace {

// A square matrix as a list of its columns.
using Columns = std::vector<std::vector<double>>;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double norm(const std::vector<double>& a) { return std::sqrt(dot(a, a)); }

// One-sided Jacobi: rotates pairs of columns until all are orthogonal. The result is M V for an orthogonal V, and its
// column norms are the singular values of M (Hestenes, "Inversion of Matrices by Biorthogonalization", 1958), the small
// ones as accurate as the large ones.
Columns orthogonal_columns(Columns m) {
  constexpr double kOrthogonal = 1e-13;
  constexpr int kMostSweeps = 60;  // about ten are usually enough
  bool turned = true;
  for (int sweep = 0; turned && sweep < kMostSweeps; ++sweep) {
    turned = false;
    for (std::size_t p = 0; p < m.size(); ++p) {
      check_interruption();
      for (std::size_t q = p + 1; q < m.size(); ++q) {
        const double pp = dot(m[p], m[p]), qq = dot(m[q], m[q]), pq = dot(m[p], m[q]);
        if (std::abs(pq) <= kOrthogonal * std::sqrt(pp) * std::sqrt(qq)) continue;
        turned = true;
        // The smaller of the two angles whose tangent t solves t^2 + 2 z t - 1 = 0.
        const double z = (qq - pp) / (2 * pq);
        const double tangent = std::copysign(1 / (std::abs(z) + std::hypot(1, z)), z);
        const double c = 1 / std::hypot(1, tangent), s = c * tangent;
        for (std::size_t i = 0; i < m.size(); ++i) {
          const double x = m[p][i], y = m[q][i];
          m[p][i] = c * x - s * y;
          m[q][i] = s * x + c * y;
        }
      }
    }
  }
  return m;
}

// L with L L^T = C for a covariance matrix C, in `unit`. The columns of C V are eigenvectors times their eigenvalues.
Columns square_root(const std::vector<double>& covariance, std::size_t dimension, double unit) {
  Columns columns;
  for (auto row = covariance.begin(); row != covariance.end(); row += std::ptrdiff_t(dimension)) {
    columns.emplace_back(row, row + std::ptrdiff_t(dimension));  // a symmetric matrix's rows are its columns
  }
  for (std::vector<double>& column : columns) {
    for (double& value : column) value = value / unit / unit;
  }
  columns = orthogonal_columns(std::move(columns));
  for (std::vector<double>& column : columns) {
    const double eigenvalue = norm(column);
    const double scale = eigenvalue > 0 ? 1 / std::sqrt(eigenvalue) : 0;
    for (double& value : column) value *= scale;
  }
  return columns;
}

}  // namespace

Moments moments_of(const Tensor& x) {
  require(x.rank() == 2 && x.dim(0) >= 2, "moments: expected [n, D] with at least 2 points, got ", x.shape());
  require_finite("moments", x);
  const Index points = x.dim(0), dimension = x.dim(1);
  const auto width = static_cast<std::size_t>(dimension);
  Moments moments{std::vector<double>(width, 0), std::vector<double>(width * width, 0)};
  for (Index n = 0; n < points; ++n) {
    for (std::size_t d = 0; d < width; ++d) {
      moments.mean[d] += static_cast<double>(x.data()[n * dimension + static_cast<Index>(d)]);
    }
  }
  for (double& value : moments.mean) value /= static_cast<double>(points);

  parallel_for(dimension, 8, [&](Index begin, Index end) {
    std::vector<double> centered(width);
    for (Index n = 0; n < points; ++n) {
      const Real* row = x.data() + n * dimension;
      for (std::size_t d = 0; d < width; ++d) centered[d] = static_cast<double>(row[d]) - moments.mean[d];
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        double* sums = &moments.covariance[i * width];
        for (std::size_t j = 0; j < width; ++j) sums[j] += centered[i] * centered[j];
      }
    }
  });
  for (double& value : moments.covariance) value /= static_cast<double>(points - 1);
  return moments;
}

double frechet_distance(const Moments& a, const Moments& b) {
  const std::size_t dimension = a.mean.size();
  require(b.mean.size() == dimension, "frechet_distance: points of ", dimension, " and of ", b.mean.size(),
          " dimensions");
  // In a unit in which products of four variances do not overflow.
  double largest = 0;
  for (std::size_t d = 0; d < dimension; ++d) {
    const double variance = std::max(a.covariance[d * dimension + d], b.covariance[d * dimension + d]);
    largest = std::max({largest, std::abs(a.mean[d] - b.mean[d]), std::sqrt(variance)});
  }
  const double unit = largest > 0 && std::isfinite(largest) ? std::ldexp(1., std::ilogb(largest)) : 1;
  double distance = 0;
  for (std::size_t d = 0; d < dimension; ++d) {
    const double difference = (a.mean[d] - b.mean[d]) / unit;
    distance += difference * difference;
    distance += (a.covariance[d * dimension + d] + b.covariance[d * dimension + d]) / unit / unit;
  }
  // With A = K K^T and B = L L^T, the eigenvalues of A B are those of (K^T L)(K^T L)^T: tr (A B)^{1/2} is the sum of
  // the singular values of K^T L.
  const Columns k = square_root(a.covariance, dimension, unit), l = square_root(b.covariance, dimension, unit);
  Columns product(dimension, std::vector<double>(dimension));
  for (std::size_t j = 0; j < dimension; ++j) {
    for (std::size_t i = 0; i < dimension; ++i) product[j][i] = dot(k[i], l[j]);
  }
  for (const std::vector<double>& column : orthogonal_columns(std::move(product))) distance -= 2 * norm(column);
  return distance < 0 ? 0 : distance * unit * unit;  // for equal sets, rounding may make it negative; a NaN stays
}

}  // namespace rill::flow
