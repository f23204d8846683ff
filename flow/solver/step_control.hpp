// Step size control: error ratios, controllers, the first step.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "flow/solver/runge_kutta.hpp"
#include "flow/solver/tableau.hpp"

namespace rill::flow {

/// The error tolerance of a step: atol + rtol max(|x_i|, |x_next,i|) for component i.
struct Tolerance {
  double rtol = 1e-5;
  double atol = 1e-5;
  /// Only this many first components of a clock's state are controlled; 0 means all.
  Index controlled = 0;
};

/// For every clock, the root mean square over its components of error / tolerance: at most 1 for an acceptable step
/// (Hairer, Norsett and Wanner 1993, equation II.4.11). Needs k_stages if the method is first-same-as-last (FSAL). With
/// two embedded methods of error ratios e and e_2 it is e^2 / sqrt(e^2 + e_2^2 / 100), as in DOP853 (ibid., section
/// II.10).
std::vector<double> error_ratios(const Tableau& method, const Tolerance& tolerance, const Step& step);

/// The first step of every clock, not negative, by the rule of Hairer, Norsett and Wanner (1993, section II.4,
/// "starting step size"). `step` holds x, t and k_0; its h is the whole interval, whose sign is the direction, and
/// which `within` says not to exceed. Evaluates the velocity once.
std::vector<double> first_steps(const Tableau& method, const Tolerance& tolerance, Field& field, const Step& step,
                                bool within);

enum class Controller {
  kIntegral,  ///< uses only the last error
  kPi,        ///< also uses the one before: smoother step sizes, fewer rejected steps
};

/// The controller called "integral" or "pi". Throws std::invalid_argument, listing these, for an unknown one.
Controller find_controller(std::string_view name);
std::vector<std::string> controller_names();

/// How the next step size follows from the last one.
struct StepControl {
  Controller controller = Controller::kIntegral;
  double safety = 0.9;
  double min_factor = 0.2, max_factor = 10;

  /// The factor for the step size after a step with the error ratio `error`, where the previously accepted step had
  /// `previous_error`. The error estimate is O(h^q), so with error ratios e
  ///   integral   safety e^{-1/q}                                   (Hairer, Norsett and Wanner 1993, equation II.4.13)
  ///   PI         safety e^{-0.7/q} e_previous^{0.4/q}   (Gustafsson 1991, "Control theoretic techniques for stepsize
  ///              selection in explicit Runge-Kutta methods"; after a rejected step the integral rule)
  /// kept between min_factor and max_factor; the integral controller never shrinks a step that was accepted, which
  /// is torchdiffeq's rule.
  double factor(double error, double previous_error, int q) const;
};

}  // namespace rill::flow
