#include "datasets/moons.hpp"

#include <cmath>
#include <numbers>

#include "autodiff/ops.hpp"

namespace rill::datasets {

Moons::Moons(double noise, double scale, double shift)
    : NoisyCurve("moons", noise * std::abs(scale), 2), scale_(scale), shift_(shift) {}

// Both moons in one formula, with s = 1 for the upper one and -1 for the lower one:
//   (1/2 + s (cos a - 1/2), 1/4 + s (sin a - 1/4))
Tensor Moons::curve(const Tensor& u) const {
  const Tensor lower = less_equal(Tensor::scalar(0.5), u);
  const Tensor a = std::numbers::pi * (2 * u - lower);
  const Tensor s = 1 - 2 * lower;
  return affine(columns(0.5 + s * (cos(a) - 0.5), 0.25 + s * (sin(a) - 0.25)), scale_, shift_);
}

}  // namespace rill::datasets
