#include "datasets/annulus.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::datasets {
namespace {

constexpr double kTwoPi = 2 * std::numbers::pi;

/// |x|   [n, 2] -> [n]
Tensor radius_of(const Tensor& x) { return sqrt(sum(square(x), {.axes = {1}})); }

}  // namespace

Annulus::Annulus(double inner, double outer) : inner_(inner), outer_(outer) {
  require(0 < inner && inner < outer && std::isfinite(outer), "annulus: inner radius ", inner, " and outer radius ",
          outer, ", expected 0 < inner < outer");
}

Tensor Annulus::sample(Index n, Generator& rng) const {
  const Tensor angle = kTwoPi * Tensor::rand({n}, rng);
  const Tensor radius = inner_ + (outer_ - inner_) * Tensor::rand({n}, rng);
  return columns(radius * cos(angle), radius * sin(angle));
}

std::optional<Tensor> Annulus::log_density(const Tensor& x) const {
  require_points(x);
  const Tensor outside = Tensor::scalar(-std::numeric_limits<double>::infinity());
  return where(*in_support(x), -log((kTwoPi * (outer_ - inner_)) * radius_of(x)), outside);
}

std::optional<double> Annulus::entropy() const {
  const double width = outer_ - inner_;
  return std::log(kTwoPi * width) + (outer_ * std::log(outer_) - inner_ * std::log(inner_)) / width - 1;
}

std::optional<Tensor> Annulus::distance_to_support(const Tensor& x) const {
  require_points(x);
  const double rounding = 8 * std::numeric_limits<Real>::epsilon() * outer_;
  const double half_width = (outer_ - inner_) / 2;
  const Tensor excess = abs(radius_of(x.detach()) - (inner_ + half_width)) - (half_width + rounding);
  return maximum(excess, Tensor::scalar(0));
}

}  // namespace rill::datasets
