// Runge-Kutta methods as data: everything that distinguishes one from another is its tableau.
#pragma once

#include <array>
#include <string_view>

namespace rill::flow {

inline constexpr int kMaxStages = 4;

/// An explicit Runge-Kutta method for y' = f(t, y) with step h (Butcher 1963):
///   k_i = f(t + c_i h, y + h sum_{j<i} a_ij k_j),   y_next = y + h sum_i b_i k_i
struct Tableau {
  std::string_view name;
  int order;
  int stages;
  std::array<std::array<double, kMaxStages>, kMaxStages> a;
  std::array<double, kMaxStages> b, c;
};

inline constexpr Tableau kEuler = {"euler", 1, 1, {}, {1}, {0}};

inline constexpr Tableau kMidpoint = {"midpoint", 2, 2, {{{}, {0.5}}}, {0, 1}, {0, 0.5}};

/// The explicit trapezoidal rule.
inline constexpr Tableau kHeun2 = {"heun2", 2, 2, {{{}, {1}}}, {0.5, 0.5}, {0, 1}};

/// Heun's method of third order (Heun 1900).
inline constexpr Tableau kHeun3 = {
    "heun3", 3, 3, {{{}, {1.0 / 3}, {0, 2.0 / 3}}}, {0.25, 0, 0.75}, {0, 1.0 / 3, 2.0 / 3}};

/// The classical method (Kutta 1901).
inline constexpr Tableau kRk4 = {
    "rk4", 4, 4, {{{}, {0.5}, {0, 0.5}, {0, 0, 1}}}, {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}, {0, 0.5, 0.5, 1}};

/// Kutta's 3/8 rule (Kutta 1901).
inline constexpr Tableau kRk4ThreeEighths = {"rk4-3/8",
                                             4,
                                             4,
                                             {{{}, {1.0 / 3}, {-1.0 / 3, 1}, {1, -1, 1}}},
                                             {1.0 / 8, 3.0 / 8, 3.0 / 8, 1.0 / 8},
                                             {0, 1.0 / 3, 2.0 / 3, 1}};

/// Every tableau, in the order of their orders.
inline constexpr std::array kTableaus = {&kEuler, &kMidpoint, &kHeun2, &kHeun3, &kRk4, &kRk4ThreeEighths};

/// The tableau of that name. Throws std::invalid_argument, listing the known names, for an unknown one.
const Tableau& find_tableau(std::string_view name);

}  // namespace rill::flow
