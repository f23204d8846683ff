// A user's own points.
#pragma once

#include <string>

#include "autodiff/tensor.hpp"

namespace rill::datasets {

/// Points from a file, one a row: [n, d] with n, d >= 1. By its ending the file is a .npy array of rank 2, or of rank 1
/// for one column, or text (.csv, .tsv, .txt) as read_csv() takes it.
/// Throws FileError for other endings, for what the readers reject, for an empty array and for a number that is not
/// finite, naming its row and column counted from 1.
Tensor read_table(const std::string& path);

/// The change to unit scale and back, column by column: a flow from N(0, I) is easiest to learn to data of mean 0 and
/// standard deviation 1.
struct Standardization {
  Tensor mean;       ///< [d]
  Tensor deviation;  ///< [d], of the population; 1 for a column that is constant

  /// That of the given points, [n, d]. Throws std::invalid_argument unless n, d >= 1.
  static Standardization of(const Tensor& x);

  /// (x - mean) / deviation   [n, d] -> [n, d]
  Tensor apply(const Tensor& x) const;
  /// mean + deviation z   [n, d] -> [n, d]
  Tensor invert(const Tensor& z) const;
  /// sum_j ln deviation_j: ln p(x) = ln p(z) minus this, for z = apply(x).
  double log_volume() const;
};

}  // namespace rill::datasets
