// Entropic optimal transport: a plan that is spread out, the more the larger its regularization.
#pragma once

#include <vector>

#include "autodiff/memory.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

struct SinkhornOptions {
  double regularization;        ///< e below, in units of the squared distance
  double tolerance = 1e-3;      ///< of the marginals: the share of the mass that may be in the wrong row
  Index max_iterations = 2000;  ///< at this regularization; each of the coarser ones before it takes at most 20
};

/// A plan between n points x and m points y of equal weights within each set, by its potentials f: [n] and g: [m]:
///   P_ij = 1/(n m) exp((f_i + g_j - |x_i - y_j|^2) / e)
struct EntropicPlan {
  memory::Vector<double> cost;  ///< |x_i - y_j|^2, [n, m], row-major
  double regularization;
  std::vector<double> f, g;
  bool converged;         ///< whether the marginal error is within the tolerance
  double marginal_error;  ///< sum_i |sum_j P_ij - 1/n| when the columns' sums were exact; in the end the rows' are
  Index iterations;       ///< in all

  /// P, [n, m].
  Tensor matrix() const;
  /// For every i a j drawn from P_ij / sum_j P_ij.
  std::vector<Index> draw_columns(Generator& rng) const;
};

/// The plan with the marginals 1/n and 1/m that minimises   sum_ij P_ij |x_i - y_j|^2 + e KL(P | 1/(n m))   by
/// Sinkhorn's algorithm (Cuturi, "Sinkhorn Distances", 2013): in turn
///   g_j = -e ln 1/n sum_i exp((f_i - cost_ij) / e),   f_i = -e ln 1/m sum_j exp((g_j - cost_ij) / e)
/// in the logarithmic domain (Peyre and Cuturi, "Computational Optimal Transport", 2019, section 4.4), where
/// nothing overflows or vanishes however small e is. It starts at the scale of the costs and halves e down to the
/// wanted one, each time from the potentials before, which are absorbed into the matrix in double (Schmitzer,
/// "Stabilized Sparse Scaling Algorithms for Entropy Regularized Transport Problems", 2019, sections 3.1 and 3.2).
/// The smaller e, the more iterations; a plan that did not converge within max_iterations says so.
///   x: [n, D], y: [m, D]
/// Throws std::invalid_argument for other shapes, no points, points that are not finite, and a regularization or a
/// tolerance that is not positive.
EntropicPlan sinkhorn(const Tensor& x, const Tensor& y, const SinkhornOptions& options);

}  // namespace rill::flow
