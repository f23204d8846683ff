// Distances between points: where every measure of them gets its scale and its precision.
#pragma once

#include <vector>

#include "autodiff/memory.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

/// Throws std::invalid_argument, naming `what`, the point and its value, when a coordinate is NaN or infinite.
///   points: [n, D]
void require_finite(const char* what, const Tensor& points);

/// The largest power of two that is no larger than the largest coordinate of both sets: in this unit all coordinates
/// are below 2 and their squares neither overflow nor vanish, and a division by it does not round. 1 when all are 0.
/// Throws as require_finite().
double common_unit(const char* what, const Tensor& x, const Tensor& y);

/// The points in that unit, without gradients.
Tensor in_unit(const Tensor& points, double unit);

/// Their mean in that unit, added up in double, [D].
std::vector<double> mean_of_rows(const Tensor& points, double unit);

/// sum_d (a_d - b_d)^2 / unit^2, added up in double.
double squared_distance(const Real* a, const Real* b, Index dimension, double unit);

/// Between two sets of points, block by block:   s_ij = |x_i - y_j|^2 / unit^2
///   x: [n, D], y: [m, D]
/// Up to kFewDimensions coordinates they are added up in double. Of more, s_ij comes from a matrix product in Real of
/// points less the mean of y; where the distance is small beside the points, and the product would lose digits, s_ij is
/// added up in double after all. So s_ij has the digits of a Real whatever the points' offset; points that are equal
/// are at 0. The unit keeps it within the range of a Real, infinite above it and 0 below.
class SquaredDistances {
 public:
  static constexpr Index kFewDimensions = 8;

  /// Throws std::invalid_argument for other shapes.
  SquaredDistances(const Tensor& x, const Tensor& y, double unit);

  /// Those of the rows [begin, end) -> [end - begin, m]. On several threads.
  Tensor rows(Index begin, Index end) const;
  /// All of them in double, row-major; of few coordinates not rounded to Real in between.
  memory::Vector<double> all_in_double() const;
  /// One of them, added up in double.
  double exact(Index i, Index j) const;

 private:
  template <class Number>
  void compute(Index begin, Index end, Number* out) const;
  template <class Number>
  void few(Index begin, Index end, Number* out) const;
  template <class Number>
  void many(Index begin, Index end, Number* out) const;

  Tensor x_, y_;
  double unit_;
  Index n_, m_, dimension_;
  memory::Vector<double> columns_;             // few coordinates: y in the unit, [D, m]
  Tensor centred_x_, centred_y_;               // many coordinates: in the unit, less the mean of y
  std::vector<double> squares_x_, squares_y_;  // |.|^2 of these
};

}  // namespace rill::flow
