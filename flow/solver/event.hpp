// Events: where along the way a function of the points crosses zero.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/solver/runge_kutta.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::flow {

/// Stops a solve where g changes sign. A step is looked at as a whole, so a g that crosses zero twice within one is
/// not noticed; nor is a g that is zero where the solve begins, until it has another sign.
struct Event {
  /// g(x, t) at points x [n, ...] and times t [n]: one number a row, [n].
  std::function<Tensor(const Tensor& x, const Tensor& t)> g;
  /// How exactly the time is found, in units of t.
  double tolerance = 1e-8;
};

/// g at x, each clock at its time t: the values of each clock one after the other. Records no graph.
/// Throws std::invalid_argument unless there is one value a row.
std::vector<double> event_values(const Event& event, const Tensor& x, const std::vector<double>& t);

/// Whether any of clock `clock`'s values has changed its sign or become 0 between `before` and `after`.
bool crosses(const std::vector<double>& before, const std::vector<double>& after, std::size_t clock,
             std::size_t clocks);

/// For each clock of a step ready for interpolate(), the theta at which it first crosses: by bisection of the
/// interpolant, and just on the far side. Every clock must cross within the step; `before` are the values at its start.
std::vector<double> locate(const Event& event, const Tableau& method, const Step& step,
                           const std::vector<double>& before);

}  // namespace rill::flow
