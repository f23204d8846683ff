// Events: where a function of the points crosses zero along the trajectory.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/solver/runge_kutta.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::flow {

/// Stops a solve where g changes sign. Only the ends of a step are compared, so a g that crosses zero twice within a
/// step is missed. A g that is zero at the start does not count until its sign changes.
struct Event {
  /// g(x, t) at points x [n, ...] and times t [n]: one number a row, [n].
  std::function<Tensor(const Tensor& x, const Tensor& t)> g;
  /// The accuracy of the event's time, in units of t.
  double tolerance = 1e-8;
};

/// g at x, each clock at its time t: the values of one clock after the other. Records no graph.
/// Throws std::invalid_argument unless there is one value per row.
std::vector<double> event_values(const Event& event, const Tensor& x, const std::vector<double>& t);

/// Whether any of clock `clock`'s values has changed its sign or become 0 between `before` and `after`.
bool crosses(const std::vector<double>& before, const std::vector<double>& after, std::size_t clock,
             std::size_t clocks);

/// For each clock of a step that is prepared for interpolate(), the theta just after its first crossing, by bisection
/// of the interpolant. Every clock must cross within the step; `before` are the values at its start.
std::vector<double> locate(const Event& event, const Tableau& method, const Step& step,
                           const std::vector<double>& before);

}  // namespace rill::flow
