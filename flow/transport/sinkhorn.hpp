// Entropic optimal transport by Sinkhorn's algorithm.
#pragma once

#include <vector>

#include "autodiff/memory.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

struct SinkhornOptions {
  double regularization;        ///< e below, in units of the squared distance
  double tolerance = 1e-3;      ///< of the marginals: the fraction of the mass that may be in the wrong row
  Index max_iterations = 2000;  ///< at this regularization; each larger one before it takes at most 20
};

/// A plan between n points x and m points y, with equal weights within each set, given by potentials f: [n], g: [m]:
///   P_ij = 1/(n m) exp((f_i + g_j - |x_i - y_j|^2) / e)
struct EntropicPlan {
  memory::Vector<double> cost;  ///< |x_i - y_j|^2, [n, m], row-major
  double regularization;
  std::vector<double> f, g;
  bool converged;         ///< whether the marginal error is within the tolerance
  double marginal_error;  ///< sum_i |sum_j P_ij - 1/n| before the last update, which makes the row sums exact
  Index iterations;       ///< in total

  /// P, [n, m].
  Tensor matrix() const;
  /// For every i, a j drawn from P_ij / sum_j P_ij.
  std::vector<Index> draw_columns(Generator& rng) const;
};

/// The plan with the marginals 1/n and 1/m that minimizes   sum_ij P_ij |x_i - y_j|^2 + e KL(P | 1/(n m))   by
/// Sinkhorn's algorithm (Cuturi, "Sinkhorn Distances", 2013), which alternates
///   g_j = -e ln 1/n sum_i exp((f_i - cost_ij) / e),   f_i = -e ln 1/m sum_j exp((g_j - cost_ij) / e)
/// in the logarithmic domain (Peyre and Cuturi, "Computational Optimal Transport", 2019, section 4.4), where
/// nothing overflows or underflows, however small e is. It starts at the scale of the costs and halves e down to the
/// requested value, starting each time from the last potentials, which are absorbed into the matrix in double
/// (Schmitzer, "Stabilized Sparse Scaling Algorithms for Entropy Regularized Transport Problems", 2019, sections 3.1
/// and 3.2). The smaller e, the more iterations; `converged` tells whether max_iterations were enough.
///   x: [n, D], y: [m, D]
/// Throws std::invalid_argument for other shapes, no points, points that are not finite, and a regularization or a
/// tolerance that is not positive.
EntropicPlan sinkhorn(const Tensor& x, const Tensor& y, const SinkhornOptions& options);

}  // namespace rill::flow
