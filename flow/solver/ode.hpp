// Solves dx/dt = u(x, t) on a given grid of times. For adaptive steps, see flow/solver/adaptive.hpp.
#pragma once

#include <functional>
#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/path/velocity.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::flow {

/// Called at every time of the grid, including the first, with its index, the time and the points.
using Observer = std::function<void(Index position, double t, const Tensor& x)>;

struct Solution {
  Tensor x;                  ///< the points at the last time of the grid
  Index evaluations = 0;     ///< calls of the velocity
  Index evaluated_rows = 0;  ///< rows in these calls
};

/// `steps` + 1 equally spaced times from `start` to `end`.
std::vector<double> uniform_grid(double start, double end, Index steps);

/// Throws std::invalid_argument for fewer than two times, and for times that are not strictly monotonic.
void require_grid(const std::vector<double>& times);

/// Moves the points x [N, ...] along the velocity from times[0] to times.back(), forward or backward, with one
/// Runge-Kutta step between neighboring times. Made of ops: if gradients are enabled, they flow through the steps to x
/// and to whatever the velocity depends on.
/// Throws std::invalid_argument for fewer than two times or times that are not strictly monotonic.
Solution solve(const Velocity& velocity, const Tensor& x, const std::vector<double>& times, const Tableau& method,
               const Observer& observer = {});

}  // namespace rill::flow
