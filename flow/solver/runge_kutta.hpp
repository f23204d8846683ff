// One Runge-Kutta step of many points, and what its slopes tell: the points inside it and its error.
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

/// A velocity that is also told which rows of the batch that solving began with it is asked about, [n]: for fields that
/// hold something per row, like labels, and solvers from which rows leave.
using RowVelocity = std::function<Tensor(const Tensor& x, const Tensor& t, const Indices& rows)>;

/// A velocity that is the same for every row. It must outlive the result.
RowVelocity for_any_rows(const Velocity& velocity);
/// A field whose rows have these labels, one for each row of the batch, or none.
RowVelocity with_row_labels(std::shared_ptr<const VelocityField> field, const Indices& labels);

/// A RowVelocity at some rows of the batch, counting how often it is asked.
struct Field {
  const RowVelocity& velocity;
  Index evaluations = 0;     ///< calls
  Index evaluated_rows = 0;  ///< rows in them, summed
  /// Throws std::invalid_argument for a result of another shape than x.
  Tensor operator()(const Tensor& x, const Tensor& t, const Indices& rows);
};

/// A step in progress. Rows move by clocks: one for the whole batch, or one for each row.
struct Step {
  Tensor x;               ///< [n, ...]
  Indices rows;           ///< which rows of the batch these are, [n]
  std::vector<double> t;  ///< where each clock stands: [1] or [n]
  std::vector<double> h;  ///< how far it goes, likewise; negative backward in time
  std::vector<Tensor> k;  ///< the slopes so far; those to come are undefined
  Tensor x_next;          ///< [n, ...]

  std::size_t clocks() const { return t.size(); }
};

/// x_n + sum_j weights_nj k_j,n   x, k_j: [N, ...]; weights: row-major [N, J], or [1, J] for all rows alike.
/// One op. A k_j whose weights are all 0 may be undefined; it is not looked at.
Tensor add_slopes(const Tensor& x, const std::vector<double>& weights, std::span<const Tensor> k);

/// The slopes k_0 (unless there), ..., k_{stages-1} and x_next.
void take_step(const Tableau& method, Field& field, Step& step);

/// k_stages, the slope at x_next.
void add_next_slope(Field& field, Step& step);

/// The slopes that only dense output needs, after k_stages.
void add_dense_slopes(const Tableau& method, Field& field, Step& step);

/// The part of a step that the clocks at these positions make; all of it when the step has one clock.
Step select(const Step& step, const std::vector<Index>& clocks);

}  // namespace rill::flow
