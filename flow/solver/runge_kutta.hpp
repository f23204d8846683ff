// One Runge-Kutta step of a batch of points.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/path/velocity.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::flow {

/// A velocity that also gets the indices [n], in the original batch, of the rows of x: for fields that depend on the
/// row, as by its label, and solvers from which rows leave.
using RowVelocity = std::function<Tensor(const Tensor& x, const Tensor& t, const Indices& rows)>;

/// Wraps a velocity that is the same for every row. The velocity must outlive the result.
RowVelocity for_any_rows(const Velocity& velocity);
/// Wraps a field with fixed labels, one for each row of the batch, or none.
RowVelocity with_row_labels(std::shared_ptr<const VelocityField> field, const Indices& labels);

/// A RowVelocity that counts its evaluations.
struct Field {
  const RowVelocity& velocity;
  Index evaluations = 0;     ///< calls
  Index evaluated_rows = 0;  ///< the sum of the rows in them
  /// Throws std::invalid_argument if the result does not have the shape of x.
  Tensor operator()(const Tensor& x, const Tensor& t, const Indices& rows);
};

/// A step in progress. Rows move by clocks: one for the whole batch, or one for each row.
struct Step {
  Tensor x;               ///< [n, ...]
  Indices rows;           ///< their indices in the batch, [n]
  std::vector<double> t;  ///< the time of each clock: [1] or [n]
  std::vector<double> h;  ///< the step size of each clock; negative backward in time
  std::vector<Tensor> k;  ///< the slopes; those not yet computed are undefined
  Tensor x_next;          ///< [n, ...]

  std::size_t clocks() const { return t.size(); }
};

/// x_n + sum_j weights_nj k_j,n   x, k_j: [N, ...]; weights: row-major [N, J], or [1, J] for all rows alike.
/// One op. A k_j whose weights are all 0 is not used, and may be undefined.
Tensor add_slopes(const Tensor& x, const std::vector<double>& weights, std::span<const Tensor> k);

/// Computes the slopes k_0 (unless it is set), ..., k_{stages-1} and x_next.
void take_step(const Tableau& method, Field& field, Step& step);

/// Computes k_stages, the slope at x_next.
void add_next_slope(Field& field, Step& step);

/// Computes the slopes after k_stages, which only dense output needs.
void add_dense_slopes(const Tableau& method, Field& field, Step& step);

/// The part of a step that belongs to the clocks at these positions; all of it if the step has one clock.
Step select(const Step& step, const std::vector<Index>& clocks);

}  // namespace rill::flow
