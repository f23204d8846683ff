// A solver of your own: a Runge-Kutta method is its tableau.
#include <cmath>
#include <cstdio>

#include "autodiff/ops.hpp"
#include "flow/solver/ode.hpp"
#include "flow/solver/tableau.hpp"

using namespace rill;

// Shu and Osher, "Efficient implementation of essentially non-oscillatory shock-capturing schemes" (1988), equation
// 2.18: order 3 from convex combinations of Euler steps.
constexpr flow::Tableau kSspRk3 = {.name = "ssprk3",
                                   .order = 3,
                                   .stages = 3,
                                   .a = {{{}, {1}, {0.25, 0.25}}},
                                   .b = {1.0 / 6, 1.0 / 6, 2.0 / 3},
                                   .c = {0, 1, 0.5},
                                   .embedded = {},
                                   .dense = {}};

// The error at t = 1 of y' = y cos(3 t), y(0) = 1, whose solution is e^(sin(3 t) / 3).
double error_with(Index steps) {
  const auto velocity = [](const Tensor& y, const Tensor& t) { return y * reshape(cos(3 * t), {t.size(), 1}); };
  const Tensor end = flow::solve(velocity, Tensor::ones({1, 1}), flow::uniform_grid(0, 1, steps), kSspRk3).x;
  return std::abs(static_cast<double>(end.item()) - std::exp(std::sin(3.0) / 3));
}

int main() {
  // Half the step, an eighth of the error.
  const double coarse = error_with(8), fine = error_with(16), order = std::log2(coarse / fine);
  std::printf("error with 8 steps %.1e, with 16 steps %.1e: order %.2f\n", coarse, fine, order);
  return std::abs(order - 3) < 0.3 ? 0 : 1;
}
