// An ODE solver with its settings, as one value.
#pragma once

#include <variant>
#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/solver/adaptive.hpp"
#include "flow/solver/ode.hpp"
#include "flow/solver/runge_kutta.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::flow {

/// Equal steps.
struct FixedSteps {
  const Tableau* method = &kEuler;
  Index steps = 50;
};

/// Equal steps, or adaptive ones.
using OdeSolver = std::variant<FixedSteps, AdaptiveOptions>;

/// The times from start to end that a solver reports: those of equal steps, or 51 equally spaced ones.
/// Throws std::invalid_argument for fewer than one step.
std::vector<double> report_times(const OdeSolver& solver, double start, double end);

/// Moves the points x [N, ...] along the velocity from time `start` to `end`, forward or backward, and calls the
/// observer at report_times(). Made of ops like solve() and solve_adaptive(), and throws as they do.
Solution solve(const OdeSolver& solver, const RowVelocity& velocity, const Tensor& x, double start, double end,
               const Observer& observer = {});

}  // namespace rill::flow
