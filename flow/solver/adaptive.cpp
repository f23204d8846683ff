#include "flow/solver/adaptive.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "flow/solver/dense_output.hpp"
#include "flow/solver/ode.hpp"
#include "flow/solver/reports.hpp"

namespace rill::flow {

namespace {

// The smallest step, relative to the current time: with smaller ones, the times of the stages would coincide.
constexpr double kSmallestStep = 8 * static_cast<double>(std::numeric_limits<Real>::epsilon());

// The state of a clock between steps.
struct Clock {
  double t;
  double h;  // of the next step, signed
  double previous_error = 1;
  Index steps = 0;
  std::size_t next_time = 1;  // the first report time still ahead
};

class AdaptiveSolver {
 public:
  AdaptiveSolver(const RowVelocity& velocity, const std::vector<double>& times, const AdaptiveOptions& options)
      : field_{velocity},
        times_(times),
        options_(options),
        method_(*options.method),
        end_(times.back()),
        reports_(times.size()) {}

  AdaptiveSolution run(const Tensor& x) {
    begin(x);
    while (!clocks_.empty()) advance_clocks();
    solution_.at = reports_.assembled();
    solution_.x = solution_.at.back();
    solution_.evaluations = field_.evaluations;
    solution_.evaluated_rows = field_.evaluated_rows;
    return std::move(solution_);
  }

 private:
  void begin(const Tensor& x);
  void advance_clocks();
  void propose();
  void judge(std::vector<bool>& accepted, const std::vector<double>& errors);
  std::vector<double> crossings(const std::vector<bool>& accepted);
  std::vector<bool> pass(const std::vector<bool>& accepted, const std::vector<double>& stops,
                         std::vector<Passage>& passages);
  void stop_rows(std::size_t clock);
  bool starts_finite(std::size_t clock) const;
  void move_on(const std::vector<bool>& accepted, const std::vector<bool>& finished);
  [[noreturn]] void give_up(std::size_t clock, double h, const std::string& problem, const std::string& advice) const;
  [[noreturn]] void give_up_not_finite(std::size_t clock, double h) const;

  double direction() const { return end_ > times_[0] ? 1 : -1; }

  Field field_;
  const std::vector<double>& times_;
  const AdaptiveOptions& options_;
  const Tableau& method_;
  const double end_;
  std::vector<Clock> clocks_;
  Step step_;                         // between steps, only x, rows and k_0 are valid
  std::vector<double> event_values_;  // at x
  Reports reports_;
  AdaptiveSolution solution_;
};

void AdaptiveSolver::give_up(std::size_t clock, double h, const std::string& problem, const std::string& advice) const {
  const double t = clocks_[clock].t;
  const Index row = options_.per_sample ? step_.rows[static_cast<Index>(clock)] : -1;
  const std::string of = options_.per_sample ? concat(" of sample ", row) : "";
  throw SolveError(
      concat("solve: ", method_.name, " gave up at t = ", t, of, ", step size ", h, ": ", problem, "; ", advice), t, h,
      row);
}

void AdaptiveSolver::give_up_not_finite(std::size_t clock, double h) const {
  give_up(clock, h, "the velocity is NaN or infinite", "check the velocity at this time");
}

// Whether the velocity at the start of a clock's step, k_0, is finite in all its rows.
bool AdaptiveSolver::starts_finite(std::size_t clock) const {
  const Index width = step_.x.size() / static_cast<Index>(clocks_.size());
  const Real* slope = step_.k[0].data() + static_cast<Index>(clock) * width;
  return std::all_of(slope, slope + width, [](Real value) { return std::isfinite(value); });
}

void AdaptiveSolver::begin(const Tensor& x) {
  const Index rows = x.dim(0);
  solution_.t.assign(static_cast<std::size_t>(rows), times_[0]);
  std::vector<Index> all(static_cast<std::size_t>(rows));
  std::iota(all.begin(), all.end(), Index{0});
  const std::size_t clocks = options_.per_sample ? all.size() : 1;
  step_ = {.x = x,
           .rows = Indices(std::move(all)),
           .t = std::vector<double>(clocks, times_[0]),
           .h = std::vector<double>(clocks, end_ - times_[0]),
           .k = {},
           .x_next = {}};
  reports_.add(0, rows == 0 ? times_.size() : 1, x, step_.rows);
  if (rows == 0) return;
  step_.k.push_back(field_(x, Tensor::full({rows}, times_[0]), step_.rows));
  clocks_.assign(clocks, {.t = times_[0], .h = end_ - times_[0]});
  for (std::size_t i = 0; i < clocks; ++i) {
    if (!starts_finite(i)) give_up_not_finite(i, clocks_[i].h);
  }
  std::vector<double> first(clocks, options_.first_step);
  if (options_.first_step == 0) {
    first = first_steps(method_, options_.tolerance, field_, step_, !options_.overshoot);
  }
  for (std::size_t i = 0; i < clocks; ++i) clocks_[i].h = first[i] * direction();
  if (options_.event) event_values_ = event_values(*options_.event, x, step_.t);
}

// One attempted step of every clock.
void AdaptiveSolver::advance_clocks() {
  propose();
  take_step(method_, field_, step_);
  if (method_.first_same_as_last()) add_next_slope(field_, step_);
  const std::vector<double> errors = error_ratios(method_, options_.tolerance, step_);
  std::vector<bool> accepted(clocks_.size());
  judge(accepted, errors);
  if (std::find(accepted.begin(), accepted.end(), true) == accepted.end()) {
    step_.k.resize(1);
    return;
  }
  std::vector<Passage> passages;
  const std::vector<bool> finished = pass(accepted, crossings(accepted), passages);
  reports_.add(method_, field_, step_, std::move(passages));
  move_on(accepted, finished);
}

// Sets the sizes of the steps to try.
void AdaptiveSolver::propose() {
  step_.t.resize(clocks_.size());
  step_.h.resize(clocks_.size());
  for (std::size_t i = 0; i < clocks_.size(); ++i) {
    Clock& clock = clocks_[i];
    if (++clock.steps > options_.max_steps) {
      give_up(i, clock.h, concat("all ", options_.max_steps, " steps are used up before t = ", end_, " is reached"),
              "raise max_steps, or loosen rtol or atol");
    }
    // Stretches a step that would leave less than a hundredth of itself.
    if (!options_.overshoot && 1.01 * std::abs(clock.h) >= std::abs(end_ - clock.t)) clock.h = end_ - clock.t;
    step_.t[i] = clock.t;
    step_.h[i] = clock.h;
  }
}

// Accepts or rejects each clock's step, and chooses the size of its next one.
void AdaptiveSolver::judge(std::vector<bool>& accepted, const std::vector<double>& errors) {
  for (std::size_t i = 0; i < clocks_.size(); ++i) {
    Clock& clock = clocks_[i];
    const double error = errors[i];
    accepted[i] = error <= 1;
    clock.h = step_.h[i] * options_.control.factor(error, clock.previous_error, method_.error_order());
    if (accepted[i]) {
      clock.previous_error = error;
      ++solution_.accepted;
      continue;
    }
    ++solution_.rejected;
    if (!std::isfinite(error) && !starts_finite(i)) give_up_not_finite(i, step_.h[i]);  // no step is small enough
    if (std::abs(clock.h) > kSmallestStep * std::max(std::abs(clock.t), std::abs(end_ - times_[0]))) continue;
    if (std::isfinite(error)) {
      give_up(i, step_.h[i],
              concat("the error is still ", error, " times what rtol ", options_.tolerance.rtol, " and atol ",
                     options_.tolerance.atol, " allow"),
              "loosen them, or make the velocity smooth here");
    }
    give_up_not_finite(i, step_.h[i]);
  }
}

// For each clock, the theta at which its event stops it; 2 if none does.
std::vector<double> AdaptiveSolver::crossings(const std::vector<bool>& accepted) {
  std::vector<double> stops(clocks_.size(), 2);
  if (!options_.event) return stops;
  std::vector<double> times(clocks_.size());
  for (std::size_t i = 0; i < clocks_.size(); ++i) times[i] = step_.t[i] + step_.h[i];
  const std::vector<double> after = event_values(*options_.event, step_.x_next, times);
  const std::size_t width = after.size() / clocks_.size();
  std::vector<Index> crossing;
  std::vector<double> before;
  for (std::size_t i = 0; i < clocks_.size(); ++i) {
    if (!accepted[i]) continue;
    const auto values = event_values_.begin() + static_cast<std::ptrdiff_t>(i * width);
    if (crosses(event_values_, after, i, clocks_.size())) {
      crossing.push_back(static_cast<Index>(i));
      before.insert(before.end(), values, values + static_cast<std::ptrdiff_t>(width));
    } else {
      std::copy_n(after.begin() + static_cast<std::ptrdiff_t>(i * width), width, values);
    }
  }
  if (crossing.empty()) return stops;
  Step part = select(step_, crossing);
  prepare_dense_output(method_, field_, part);
  const std::vector<double> theta = locate(*options_.event, method_, part, before);
  for (std::size_t i = 0; i < crossing.size(); ++i) stops[static_cast<std::size_t>(crossing[i])] = theta[i];
  return stops;
}

// Moves the clocks that accepted their steps, each to the end of its step, its event or the end time. Collects what to
// report on the way, and returns which clocks have finished.
std::vector<bool> AdaptiveSolver::pass(const std::vector<bool>& accepted, const std::vector<double>& stops,
                                       std::vector<Passage>& passages) {
  std::vector<bool> finished(clocks_.size());
  for (std::size_t i = 0; i < clocks_.size(); ++i) {
    if (!accepted[i]) continue;
    Clock& clock = clocks_[i];
    const double t = step_.t[i], h = step_.h[i];
    const double to_end = (end_ - t) / h;
    const double theta = std::min({1.0, to_end, stops[i]});
    finished[i] = to_end <= 1 || stops[i] <= 1;
    clock.t = theta == to_end ? end_ : t + theta * h;
    for (; clock.next_time < times_.size(); ++clock.next_time) {
      const double time = times_[clock.next_time];
      if ((clock.t - time) * direction() <= 0) break;
      passages.push_back({clock.next_time, false, true, i, (time - t) / h});
    }
    if (!finished[i]) continue;
    passages.push_back({clock.next_time, true, theta < 1, i, theta});
    stop_rows(i);
  }
  return finished;
}

// Records where the rows of a clock ended.
void AdaptiveSolver::stop_rows(std::size_t clock) {
  if (!options_.per_sample) {
    std::fill(solution_.t.begin(), solution_.t.end(), clocks_[clock].t);
  } else {
    solution_.t[static_cast<std::size_t>(step_.rows[static_cast<Index>(clock)])] = clocks_[clock].t;
  }
}

// Removes the clocks that have finished, and completes the steps of those that accepted them.
void AdaptiveSolver::move_on(const std::vector<bool>& accepted, const std::vector<bool>& finished) {
  std::vector<Index> staying;
  std::vector<Clock> clocks;
  std::vector<Real> moved;
  std::vector<double> values;
  const std::size_t width = event_values_.size() / clocks_.size();
  for (std::size_t i = 0; i < clocks_.size(); ++i) {
    if (finished[i]) continue;
    staying.push_back(static_cast<Index>(i));
    clocks.push_back(clocks_[i]);
    moved.push_back(accepted[i] ? 1 : 0);
    const auto value = event_values_.begin() + static_cast<std::ptrdiff_t>(i * width);
    values.insert(values.end(), value, value + static_cast<std::ptrdiff_t>(width));
  }
  clocks_ = std::move(clocks);
  event_values_ = std::move(values);
  if (clocks_.empty()) return;

  const auto next = static_cast<std::size_t>(method_.stages);
  if (step_.k.size() > next) step_.k[1] = step_.k[next];
  step_.k.resize(step_.k.size() > next ? 2 : 1);
  step_ = select(step_, staying);
  if (step_.k.size() == 1) add_next_slope(field_, step_);
  if (std::find(moved.begin(), moved.end(), Real{0}) == moved.end()) {
    step_.x = step_.x_next;
    step_.k = {step_.k[1]};
    return;
  }
  Shape shape{static_cast<Index>(moved.size())};
  while (shape.rank() < step_.x.rank()) shape.push_back(1);
  const Tensor mask = Tensor::from(moved, shape);
  step_.x = where(mask, step_.x_next, step_.x);
  step_.k = {where(mask, step_.k[1], step_.k[0])};
}

void check(const Tensor& x, const std::vector<double>& times, const AdaptiveOptions& options) {
  require(options.method != nullptr && options.method->adaptive(),
          "solve: ", options.method ? options.method->name : "no method",
          " has no error estimate for adaptive steps; use one of ", joined(solver_names(true)), ", or fixed steps");
  require(x.rank() >= 1, "solve: expected points [N, ...], got a scalar");
  require_grid(times);
  const Tolerance& tolerance = options.tolerance;
  require(tolerance.rtol >= 0 && tolerance.atol >= 0 && tolerance.rtol + tolerance.atol > 0 &&
              std::isfinite(tolerance.rtol + tolerance.atol),
          "solve: rtol and atol must not be negative, and one of them must be positive; got ", tolerance.rtol, " and ",
          tolerance.atol);
  const StepControl& control = options.control;
  require(0 < control.min_factor && control.min_factor < control.safety && control.safety < 1 && 1 < control.max_factor,
          "solve: expected 0 < min_factor < safety < 1 < max_factor, got ", control.min_factor, ", ", control.safety,
          " and ", control.max_factor);
  require(options.first_step >= 0, "solve: first_step must be positive, or 0 to choose it; got ", options.first_step);
  require(options.max_steps >= 1, "solve: max_steps must be at least 1, got ", options.max_steps);
  require(!options.event || (options.event->g && options.event->tolerance > 0),
          "solve: an event needs a function and a positive tolerance");
}

}  // namespace

AdaptiveSolution solve_adaptive(const RowVelocity& velocity, const Tensor& x, const std::vector<double>& times,
                                const AdaptiveOptions& options) {
  check(x, times, options);
  return AdaptiveSolver(velocity, times, options).run(x);
}

AdaptiveSolution solve_adaptive(const Velocity& velocity, const Tensor& x, const std::vector<double>& times,
                                const AdaptiveOptions& options) {
  return solve_adaptive(for_any_rows(velocity), x, times, options);
}

}  // namespace rill::flow
