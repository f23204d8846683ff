// Dense output: the points inside a step.
#pragma once

#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/solver/runge_kutta.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::flow {

/// The weights of the slopes at t + theta h: x(t + theta h) = x + h sum_j w_j k_j. With D = sum_i b_i k_i (so that
/// x_next = x + h D), s = stages and d_i the method's corrections,
///   (x(t + theta h) - x) / h = theta (D + (1-theta) (k_0 - D + theta (2D - k_0 - k_s + (1-theta) (d_0 + theta (d_1 +
///   (1-theta) (d_2 + theta d_3))))))
/// Without corrections this is cubic Hermite interpolation, of order 3; with them, every interpolant of the tableaus
/// has this form, because all satisfy the same four conditions (Hairer, Norsett and Wanner 1993, section II.6).
Weights dense_weights(const Tableau& method, double theta);

/// Prepares a complete step for interpolate(): evaluates the velocity for missing slopes.
void prepare_dense_output(const Tableau& method, Field& field, Step& step);

/// x(t + theta h), theta in [0, 1] for each clock. [n, ...]
Tensor interpolate(const Tableau& method, const Step& step, const std::vector<double>& theta);

}  // namespace rill::flow
