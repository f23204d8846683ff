// Runge-Kutta methods as data: a method is its Butcher tableau.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace rill::flow {

inline constexpr int kMaxStages = 16;
/// One number for each slope k_i; 0 by default.
using Weights = std::array<double, kMaxStages>;

/// A second method on the same slopes: y_next - h sum_i b_i k_i estimates the error of the step.
struct EmbeddedMethod {
  int order = 0;  ///< 0: none
  Weights b = {};
};

/// The corrections of the cubic interpolant inside a step: see dense_weights().
struct DenseOutput {
  int order = 3;         ///< the interpolant's error within a step of size h is O(h^{order + 1})
  int extra_stages = 0;  ///< slopes evaluated only for it: rows stages + 1, ... of a
  int corrections = 0;
  std::array<Weights, 4> d = {};
};

/// An explicit Runge-Kutta method for y' = f(t, y) with step h (Butcher 1963):
///   k_i = f(t + c_i h, y + h sum_{j<i} a_ij k_j),   y_next = y + h sum_i b_i k_i,   i < stages
/// The slope at the new point, f(t + h, y_next), is k_stages: it is the next step's k_0, so it is free if the solver
/// continues, and embedded methods and dense output may use it. A method whose embedded method does is called first-
/// same-as-last (FSAL); its last stage, whose row of a is b, is not listed.
struct Tableau {
  std::string_view name;
  int order;
  int stages;
  std::array<Weights, kMaxStages> a;
  Weights b, c;
  EmbeddedMethod embedded = {};
  /// Of lower order than `embedded`, for methods that combine two error estimates: see error_ratios().
  EmbeddedMethod second = {};
  DenseOutput dense = {};

  /// Whether it has an error estimate for choosing the step size.
  bool adaptive() const { return embedded.order > 0; }
  /// Whether the error estimate needs the slope at the new point.
  bool first_same_as_last() const { return embedded.b[static_cast<std::size_t>(stages)] != 0; }
  /// q: the error estimate of a step of size h is O(h^q).
  int error_order() const {
    return second.order > 0 ? 2 * (embedded.order + 1) - (second.order + 1) : embedded.order + 1;
  }
};

// Fixed steps.

extern const Tableau kEuler;
extern const Tableau kMidpoint;
/// The explicit trapezoidal rule.
extern const Tableau kHeun2;
/// The second-order method with the smallest error bound (Ralston 1962).
extern const Tableau kRalston;
/// Heun's method of third order (Heun 1900).
extern const Tableau kHeun3;
/// The classical method (Kutta 1901).
extern const Tableau kRk4;
/// Kutta's 3/8 rule (Kutta 1901).
extern const Tableau kRk4ThreeEighths;

// With an error estimate; they can also take fixed steps.

/// Heun 2 with Euler embedded: 2(1).
extern const Tableau kHeunEuler;
/// Bogacki and Shampine, "A 3(2) pair of Runge-Kutta formulas" (Applied Mathematics Letters 2, 1989).
extern const Tableau kBogackiShampine;
/// Dormand and Prince, "A family of embedded Runge-Kutta formulae" (J. Comp. Appl. Math. 6, 1980): RK5(4)7M, with the
/// error estimate and interpolant of Shampine, "Some practical Runge-Kutta formulas" (Math. Comp. 46, 1986). That
/// estimate is 2/3 of the original one; torchdiffeq's dopri5 is the same.
extern const Tableau kDormandPrince5;
/// Tsitouras, "Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying assumption" (Computers and
/// Mathematics with Applications 62, 2011), with its interpolant.
extern const Tableau kTsitouras5;
/// Dormand and Prince's method of order 8 with 12 stages, as in DOP853: error estimates of order 5 and 3, interpolant
/// of order 7 (Hairer, Norsett and Wanner, "Solving Ordinary Differential Equations I", 2nd edition, 1993, sections
/// II.5, II.6 and II.10).
extern const Tableau kDormandPrince8;

/// Every method: those without an error estimate by increasing order, then the adaptive ones likewise.
inline constexpr std::array kTableaus = {
    &kEuler,           &kMidpoint,  &kHeun2,           &kRalston,        &kHeun3,      &kRk4,
    &kRk4ThreeEighths, &kHeunEuler, &kBogackiShampine, &kDormandPrince5, &kTsitouras5, &kDormandPrince8};

/// The names of all methods, or of the adaptive ones, in that order.
std::vector<std::string> solver_names(bool only_adaptive = false);

/// The tableau of that name. Throws std::invalid_argument, listing the known names, for an unknown one.
const Tableau& find_tableau(std::string_view name);

}  // namespace rill::flow
