// Solves dx/dt = u(x, t) with adaptive steps.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/path/velocity.hpp"
#include "flow/solver/event.hpp"
#include "flow/solver/runge_kutta.hpp"
#include "flow/solver/step_control.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::flow {

struct AdaptiveOptions {
  const Tableau* method = &kDormandPrince5;  ///< with an error estimate
  Tolerance tolerance = {};
  StepControl control = {};
  double first_step = 0;    ///< 0: chosen by first_steps()
  Index max_steps = 10000;  ///< attempted steps, for each clock
  /// Each row has its own time, step size and error, and leaves the batch when it is done; its result does not depend
  /// on the other rows. Otherwise one step size, chosen by the error over the whole batch, applies to all rows.
  bool per_sample = false;
  /// Let the last step pass the end, and interpolate there, as torchdiffeq does. Otherwise the last step ends exactly
  /// at the end, and the velocity is never evaluated beyond it.
  bool overshoot = false;
  /// Stop where this crosses zero: each row at its own crossing if per_sample, else all at the first one.
  std::optional<Event> event = {};
};

/// A solve that failed at run time: the tolerance cannot be met, the steps are used up, or the velocity is not finite.
/// The message says where and what to do.
class SolveError : public std::runtime_error {
 public:
  SolveError(const std::string& what, double at, double step, Index row)
      : std::runtime_error(what), t(at), h(step), sample(row) {}
  double t;      ///< the time at which it gave up
  double h;      ///< the step size
  Index sample;  ///< the row of the batch; -1 if all rows share their steps
};

struct AdaptiveSolution {
  Tensor x;                  ///< [N, ...], at the end, or where the event stopped a row
  std::vector<Tensor> at;    ///< the points at each of the times; for a row stopped by its event, where it stopped
  std::vector<double> t;     ///< [N], the time at which each row ended
  Index evaluations = 0;     ///< calls of the velocity (NFE)
  Index evaluated_rows = 0;  ///< rows in these calls: divided by N, the NFE per row
  Index accepted = 0;        ///< steps, summed over the clocks
  Index rejected = 0;
};

/// Moves the points x [N, ...] along the velocity from times[0] to times.back(), forward or backward, and returns them
/// at every time by dense output. Made of ops: if gradients are enabled, they flow through the accepted steps, whose
/// sizes are constants, to x and to whatever the velocity depends on. Throws SolveError; and std::invalid_argument for
/// a method without an error estimate, fewer than two times, times that are not strictly monotonic, tolerances that are
/// negative or both 0, and other options out of range.
AdaptiveSolution solve_adaptive(const RowVelocity& velocity, const Tensor& x, const std::vector<double>& times,
                                const AdaptiveOptions& options = {});
AdaptiveSolution solve_adaptive(const Velocity& velocity, const Tensor& x, const std::vector<double>& times,
                                const AdaptiveOptions& options = {});

}  // namespace rill::flow
