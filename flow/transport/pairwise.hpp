// Pairwise distances between points, accurate at any scale and offset.
#pragma once

#include <vector>

#include "autodiff/memory.hpp"
#include "autodiff/tensor.hpp"

namespace rill::flow {

/// Throws std::invalid_argument, naming `what`, the point and its value, if a coordinate is NaN or infinite.
///   points: [n, D]
void require_finite(const char* what, const Tensor& points);

/// The largest power of two that is no larger than the largest coordinate of both sets: in this unit all coordinates
/// are below 2, squares do not overflow, and division by it does not round. 1 if all are 0.
/// Throws as require_finite().
double common_unit(const char* what, const Tensor& x, const Tensor& y);

/// The points in that unit, without gradients.
Tensor in_unit(const Tensor& points, double unit);

/// Their mean in that unit, summed in double, [D].
std::vector<double> mean_of_rows(const Tensor& points, double unit);

/// sum_d (a_d - b_d)^2 / unit^2, summed in double.
double squared_distance(const Real* a, const Real* b, Index dimension, double unit);

/// Squared distances between two sets of points, block by block:   s_ij = |x_i - y_j|^2 / unit^2
///   x: [n, D], y: [m, D]
/// In up to kFewDimensions dimensions, s_ij is summed in double. In more, it comes from a matrix product, in Real, of
/// the points minus the mean of y; but where the distance is so small that the product would lose digits, s_ij is also
/// summed in double. So s_ij is accurate to a Real's precision for any offset, and 0 for equal points. In this unit, it
/// is rarely out of the range of a Real: infinite above it and 0 below.
class SquaredDistances {
 public:
  static constexpr Index kFewDimensions = 8;

  /// Throws std::invalid_argument for other shapes.
  SquaredDistances(const Tensor& x, const Tensor& y, double unit);

  /// The rows [begin, end) -> [end - begin, m]. On several threads.
  Tensor rows(Index begin, Index end) const;
  /// All of them in double, row-major; in few dimensions, never rounded to Real.
  memory::Vector<double> all_in_double() const;
  /// One of them, summed in double.
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
  Tensor centered_x_, centered_y_;             // many coordinates: in the unit, minus the mean of y
  std::vector<double> squares_x_, squares_y_;  // |.|^2 of these
};

}  // namespace rill::flow
