// Solving dx/dt = u(x, t) over a grid of times; flow/solver/adaptive.hpp chooses the steps itself.
#pragma once

#include <functional>
#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/path/velocity.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::flow {

/// Called at every time of the grid, the first included, with its position in it, the time and the points.
using Observer = std::function<void(Index position, double t, const Tensor& x)>;

struct Solution {
  Tensor x;                  ///< the points at the last time of the grid
  Index evaluations = 0;     ///< how often the velocity was asked for
  Index evaluated_rows = 0;  ///< rows in these calls
};

/// `steps` + 1 times from `start` to `end`, equally far apart.
std::vector<double> uniform_grid(double start, double end, Index steps);

/// Throws std::invalid_argument for fewer than two times, and for times that do not go strictly one way.
void require_grid(const std::vector<double>& times);

/// Moves the points x [N, ...] along the velocity from times[0] to times.back(), one Runge-Kutta step between
/// neighbouring times, which may run forward or backward. Made of ops: where gradients are on, they flow through the
/// steps to x and to whatever the velocity depends on.
/// Throws std::invalid_argument for fewer than two times or times that do not go strictly one way.
Solution solve(const Velocity& velocity, const Tensor& x, const std::vector<double>& times, const Tableau& method,
               const Observer& observer = {});

}  // namespace rill::flow
