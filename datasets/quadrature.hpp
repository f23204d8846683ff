// Gauss-Legendre quadrature.
#pragma once

#include <cmath>
#include <numbers>
#include <vector>

namespace rill::datasets {

/// The integral of f over [0, 1] is approximately sum_i weights[i] f(nodes[i]).
struct Quadrature {
  std::vector<double> nodes, weights;
};

/// The n-point rule on [0, 1], exact for polynomials of degree 2 n - 1. Its nodes are the roots of the Legendre
/// polynomial P_n, found by Newton's method from cos(pi (i + 3/4) / (n + 1/2)), its weights 1 / ((1 - x^2) P_n'(x)^2).
inline Quadrature gauss_legendre(int n) {
  Quadrature rule;
  for (int i = 0; i < n; ++i) {
    double x = std::cos(std::numbers::pi * (i + 0.75) / (n + 0.5));
    double slope = 0;
    for (int step = 0; step < 8; ++step) {  // converges quadratically from three digits
      double p = 1, previous = 0;
      for (int k = 1; k <= n; ++k) {  // k P_k = (2 k - 1) x P_{k-1} - (k - 1) P_{k-2}
        const double next = ((2 * k - 1) * x * p - (k - 1) * previous) / k;
        previous = p;
        p = next;
      }
      slope = n * (x * p - previous) / (x * x - 1);
      x -= p / slope;
    }
    rule.nodes.push_back((1 + x) / 2);
    rule.weights.push_back(1 / ((1 - x * x) * slope * slope));
  }
  return rule;
}

}  // namespace rill::datasets
