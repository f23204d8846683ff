#include "datasets/pinwheel.hpp"

#include <numbers>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::datasets {

Pinwheel::Pinwheel(Index arms, double twist, double scale) : arms_(arms), twist_(twist), scale_(scale) {
  require(arms >= 1, "pinwheel: ", arms, " arms, expected at least 1");
}

Tensor Pinwheel::sample(Index n, Generator& rng) const {
  const std::vector<Index> arm = rng.integers(n, arms_);
  const Tensor k = Tensor::from(std::vector<Real>(arm.begin(), arm.end()), {n});
  const Tensor r = 1 + 0.3 * Tensor::randn({n}, rng);
  const Tensor s = 0.1 * Tensor::randn({n}, rng);
  const Tensor a = (2 * std::numbers::pi / static_cast<double>(arms_)) * k + twist_ * exp(r);
  return scale_ * columns(r * cos(a) + s * sin(a), s * cos(a) - r * sin(a));
}

}  // namespace rill::datasets
