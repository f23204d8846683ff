#include "flow/solver/step_control.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/names.hpp"

namespace rill::flow {

namespace {

double as_double(Real value) { return static_cast<double>(value); }

// error / allowed, but 0 for an error of 0, even if 0 is allowed. The ratio of a finite error is limited so that its
// square is finite: only velocities that are not finite give an infinite ratio.
double relative(double error, double allowed) {
  constexpr double kMost = 1e150;
  if (error == 0 || !std::isfinite(error)) return error;
  return std::clamp(error / allowed, -kMost, kMost);
}

// For every clock, sqrt(mean_i (value(i) / scale(i))^2) over the controlled components.
template <class Ratio>
std::vector<double> root_mean_squares(const Step& step, const Tolerance& tolerance, const Ratio& ratio) {
  const Index width = step.x.size() / static_cast<Index>(step.clocks());
  const Index counted = tolerance.controlled > 0 ? std::min(tolerance.controlled, width) : width;
  std::vector<double> result(step.clocks());
  for (std::size_t clock = 0; clock < step.clocks(); ++clock) {
    double sum = 0;
    const Index begin = static_cast<Index>(clock) * width;
    for (Index i = begin; i < begin + counted; ++i) {
      const double r = ratio(i, clock);
      sum += r * r;
    }
    result[clock] = counted > 0 ? std::sqrt(sum / static_cast<double>(counted)) : 0;
  }
  return result;
}

std::vector<double> error_ratios(const Tableau& method, const EmbeddedMethod& embedded, const Tolerance& tolerance,
                                 const Step& step) {
  std::vector<const Real*> slopes;
  std::vector<double> weights;
  for (std::size_t j = 0; j < step.k.size(); ++j) {
    if (method.b[j] == embedded.b[j]) continue;
    slopes.push_back(step.k[j].data());
    weights.push_back(method.b[j] - embedded.b[j]);
  }
  const Real* x = step.x.data();
  const Real* x_next = step.x_next.data();
  return root_mean_squares(step, tolerance, [&](Index i, std::size_t clock) {
    double error = 0;
    for (std::size_t j = 0; j < slopes.size(); ++j) error += weights[j] * as_double(slopes[j][i]);
    const double size = std::max(std::abs(as_double(x[i])), std::abs(as_double(x_next[i])));
    return relative(step.h[clock] * error, tolerance.atol + tolerance.rtol * size);
  });
}

}  // namespace

std::vector<double> error_ratios(const Tableau& method, const Tolerance& tolerance, const Step& step) {
  std::vector<double> errors = error_ratios(method, method.embedded, tolerance, step);
  if (method.second.order == 0) return errors;
  const std::vector<double> second = error_ratios(method, method.second, tolerance, step);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const double e = errors[i];
    if (e != 0) errors[i] = e * (e / std::hypot(e, 0.1 * second[i]));
  }
  return errors;
}

std::vector<double> first_steps(const Tableau& method, const Tolerance& tolerance, Field& field, const Step& step,
                                bool within) {
  const NoGrad no_grad;
  const Real* x = step.x.data();
  const Real* slope = step.k[0].data();
  const auto scale = [&](Index i) { return tolerance.atol + tolerance.rtol * std::abs(as_double(x[i])); };
  const std::vector<double> d_0 =
      root_mean_squares(step, tolerance, [&](Index i, std::size_t) { return relative(as_double(x[i]), scale(i)); });
  const std::vector<double> d_1 =
      root_mean_squares(step, tolerance, [&](Index i, std::size_t) { return relative(as_double(slope[i]), scale(i)); });

  // An explicit Euler step that moves x by a hundredth of its size measures how fast the slope changes.
  Step probe = step;
  for (std::size_t i = 0; i < step.clocks(); ++i) {
    double h = d_0[i] < 1e-5 || d_1[i] < 1e-5 ? 1e-6 : 0.01 * d_0[i] / d_1[i];
    if (within) h = std::min(h, std::abs(step.h[i]));
    probe.h[i] = std::copysign(h, step.h[i]);
  }
  probe.x_next = add_slopes(step.x, probe.h, std::span(step.k).first(1));
  add_next_slope(field, probe);
  const Real* next_slope = probe.k[1].data();
  const std::vector<double> change = root_mean_squares(step, tolerance, [&](Index i, std::size_t) {
    return relative(as_double(next_slope[i]) - as_double(slope[i]), scale(i));
  });

  std::vector<double> result(step.clocks());
  for (std::size_t i = 0; i < step.clocks(); ++i) {
    const double h_0 = std::abs(probe.h[i]);
    const double d_2 = change[i] / h_0;
    const double largest = std::max(d_1[i], d_2);
    const double h_1 =
        largest <= 1e-15 ? std::max(1e-6, h_0 * 1e-3) : std::pow(0.01 / largest, 1.0 / method.error_order());
    result[i] = std::min(100 * h_0, h_1);
  }
  return result;
}

namespace {
constexpr std::array<std::string_view, 2> kControllerNames = {"integral", "pi"};
}

std::vector<std::string> controller_names() { return {kControllerNames.begin(), kControllerNames.end()}; }

Controller find_controller(std::string_view name) {
  if (name == kControllerNames[0]) return Controller::kIntegral;
  if (name == kControllerNames[1]) return Controller::kPi;
  fail(unknown_name("step size controller", name, controller_names()));
}

double StepControl::factor(double error, double previous_error, int q) const {
  if (error == 0) return max_factor;
  if (!std::isfinite(error)) return min_factor;
  const bool accepted = error <= 1;
  if (controller == Controller::kPi && accepted) {
    // An error that is tiny by chance says little about the next one, hence the lower bound.
    const double smoothed = safety * std::pow(error, -0.7 / q) * std::pow(std::max(previous_error, 1e-4), 0.4 / q);
    return std::clamp(smoothed, min_factor, max_factor);
  }
  return std::clamp(safety * std::pow(error, -1.0 / q), accepted ? 1.0 : min_factor, max_factor);
}

}  // namespace rill::flow
