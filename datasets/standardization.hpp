// Converts tables to the units of a model, and back.
#pragma once

#include <vector>

#include "autodiff/tensor.hpp"
#include "datasets/table.hpp"

namespace rill::datasets {

/// Standardization, column by column: a flow from N(0, I) is easiest to learn for data of mean 0 and standard deviation
/// 1. Centering and scaling are done in double: a float resolves timestamps around 1.7e9 only to minutes, but their
/// distances from the mean to every digit that matters.
struct Standardization {
  std::vector<double> mean;
  std::vector<double> deviation;  ///< of the population; 1 for a column that is constant

  /// The standardization of a table's columns. Throws std::invalid_argument unless there are rows and columns.
  static Standardization of(const Table& table);

  Index columns() const { return static_cast<Index>(mean.size()); }
  /// z = (x - mean) / deviation   -> [rows, columns]. Throws std::invalid_argument for a wrong number of columns.
  Tensor apply(const Table& x) const;
  /// x = mean + deviation z   z: [rows, columns]. Throws std::invalid_argument for a wrong number of columns.
  Table invert(const Tensor& z) const;
  /// sum_j ln deviation_j: ln p(x) = ln p(z) minus this, for z = apply(x).
  double log_volume() const;
};

}  // namespace rill::datasets
