#include "datasets/swiss_roll.hpp"

#include <cmath>
#include <numbers>

#include "autodiff/ops.hpp"

namespace rill::datasets {

SwissRoll::SwissRoll(double noise, double scale)
    : NoisyCurve("swiss-roll", noise * std::abs(scale), 1), scale_(scale) {}

Tensor SwissRoll::curve(const Tensor& u) const {
  const Tensor a = 1.5 * std::numbers::pi * (1 + 2 * u);
  return scale_ * columns(a * cos(a), a * sin(a));
}

}  // namespace rill::datasets
