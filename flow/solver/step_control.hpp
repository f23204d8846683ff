// How large a step should be: error ratios, controllers, the first step.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "flow/solver/runge_kutta.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::flow {

/// How the error of a step is judged: component i may err by atol + rtol max(|x_i|, |x_next,i|).
struct Tolerance {
  double rtol = 1e-5;
  double atol = 1e-5;
  /// Only the first so many numbers of a clock's state count; 0 means all of them.
  Index controlled = 0;
};

/// For every clock, the root mean square over its components of their error by their tolerance: at most 1 for a step
/// that is good enough (Hairer, Norsett and Wanner 1993, equation II.4.11). Needs k_stages where the method is first
/// same as last. With two embedded methods of error ratios e and e_2 it is e^2 / sqrt(e^2 + e_2^2 / 100), as
/// DOP853's (ibid., section II.10).
std::vector<double> error_ratios(const Tableau& method, const Tolerance& tolerance, const Step& step);

/// The first step of every clock, not negative, by the rule of Hairer, Norsett and Wanner (1993, section II.4,
/// "starting step size"). `step` holds x, t and k_0; its h is the whole way to go, whose sign is the direction and
/// which `within` says not to pass. Asks the velocity once.
std::vector<double> first_steps(const Tableau& method, const Tolerance& tolerance, Field& field, const Step& step,
                                bool within);

enum class Controller {
  kIntegral,  ///< looks at the last error only
  kPi,        ///< also at the one before: smoother step sizes, fewer rejected steps
};

/// The controller called "integral" or "pi". Throws std::invalid_argument, listing these, for an unknown one.
Controller find_controller(std::string_view name);
std::vector<std::string> controller_names();

/// How a step size follows from the last one.
struct StepControl {
  Controller controller = Controller::kIntegral;
  double safety = 0.9;
  double min_factor = 0.2, max_factor = 10;

  /// What to multiply the step size by after a step of error ratio `error`, the one accepted before it having had
  /// `previous_error`. The estimate is O(h^q), so with e either error ratio
  ///   integral   safety e^{-1/q}                                   (Hairer, Norsett and Wanner 1993, equation II.4.13)
  ///   PI         safety e^{-0.7/q} e_previous^{0.4/q}   (Gustafsson 1991, "Control theoretic techniques for stepsize
  ///              selection in explicit Runge-Kutta methods"; after a rejected step the integral rule)
  /// kept between min_factor and max_factor; the integral controller never shrinks a step that was accepted, which
  /// is torchdiffeq's rule.
  double factor(double error, double previous_error, int q) const;
};

}  // namespace rill::flow
