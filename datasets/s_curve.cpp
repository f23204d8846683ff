#include "datasets/s_curve.hpp"

#include <cmath>
#include <numbers>

#include "autodiff/ops.hpp"

namespace rill::datasets {

SCurve::SCurve(double noise, double scale) : NoisyCurve("s-curve", noise * std::abs(scale), 2), scale_(scale) {}

Tensor SCurve::curve(const Tensor& u) const {
  const Tensor a = 3 * std::numbers::pi * (u - 0.5);
  return scale_ * columns(sin(a), sign(a) * (cos(a) - 1));
}

}  // namespace rill::datasets
