// The Frechet distance between two sets of points, modeled as Gaussians.
#pragma once

#include <vector>

#include "autodiff/tensor.hpp"

namespace rill::flow {

/// The mean and the covariance of points, in double.
struct Moments {
  std::vector<double> mean;        ///< [D]
  std::vector<double> covariance;  ///< [D, D], row-major; with the divisor n - 1
};
/// x: [n, D]. Throws std::invalid_argument for other shapes, fewer than two points, and points that are not finite.
Moments moments_of(const Tensor& x);

/// The squared 2-Wasserstein distance between two Gaussians of these moments,
///   |m_a - m_b|^2 + tr(A + B - 2 (A B)^{1/2})
/// (Dowson and Landau, "The Frechet distance between multivariate normal distributions", 1982), which on a classifier's
/// features measures the quality of images (Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a
/// Local Nash Equilibrium", 2017). For finite sets it is biased upward: compare only sets of equal size.
/// Throws std::invalid_argument for different dimensions.
double frechet_distance(const Moments& a, const Moments& b);

}  // namespace rill::flow
