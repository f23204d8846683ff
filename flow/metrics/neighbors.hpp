// Nearest neighbors: whether samples lie where the data is, and whether they are copies of it.
#pragma once

#include "autodiff/tensor.hpp"
#include "flow/metrics/estimate.hpp"

namespace rill::flow {

/// For every row of x, the distance to the nearest row of y.   x: [n, D], y: [m, D] -> [n]
/// The nearest row is found by a matrix product, O(n m D), and its distance computed in double: 0 for a copy.
/// Throws std::invalid_argument for other shapes, an empty y, and points that are not finite.
Tensor nearest_distances(const Tensor& x, const Tensor& y);

struct PrecisionRecall {
  Estimate precision;  ///< the fraction of samples that lie among the data: their quality
  Estimate recall;     ///< the fraction of data that lies among the samples: their variety
};
/// Improved precision and recall (Kynkaanniemi et al., "Improved Precision and Recall Metric for Assessing Generative
/// Models", 2019, equation 1 and algorithm 1). A point lies among a set if it is no farther from one of its points than
/// that point's k-th nearest neighbor in the set. Meant for features; k = 3 is the paper's.
///   data: [n, D], samples: [m, D], n and m > k; both values drop for smaller sets, so compare only equal sizes
/// Throws std::invalid_argument for other shapes, too few points, and points that are not finite.
PrecisionRecall precision_and_recall(const Tensor& data, const Tensor& samples, Index k = 3);

}  // namespace rill::flow
