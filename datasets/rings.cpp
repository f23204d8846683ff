#include "datasets/rings.hpp"

#include <cmath>
#include <numbers>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::datasets {

Rings::Rings(Index count, double radius, double noise)
    : NoisyCurve("rings", noise, count), count_(count), radius_(radius) {
  require(count >= 1, "rings: ", count, " circles, expected at least 1");
  require(radius > 0 && std::isfinite(radius), "rings: radius ", radius, ", expected a positive number");
}

// u in [k / count, (k + 1) / count) runs once around circle k.
Tensor Rings::curve(const Tensor& u) const {
  const double count = static_cast<double>(count_);
  Tensor circle = Tensor::ones(u.shape());
  for (Index k = 1; k < count_; ++k) {
    circle = circle + less_equal(Tensor::scalar(static_cast<double>(k) / count), u);
  }
  const Tensor radius = (radius_ / count) * circle;
  const Tensor angle = (2 * std::numbers::pi * count) * u;
  return columns(radius * cos(angle), radius * sin(angle));
}

}  // namespace rill::datasets
