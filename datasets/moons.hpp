// Two interleaved half circles.
#pragma once

#include "datasets/noisy_curve.hpp"

namespace rill::datasets {

/// scikit-learn's make_moons, with the angle a ~ U[0, pi]: with equal probability the upper half of the unit circle,
/// (cos a, sin a), or its lower half moved to the right and up, (1 - cos a, 1/2 - sin a). Noise of standard deviation
/// `noise` is added, and the sum is multiplied by `scale` and shifted by `shift` along both axes. The defaults are
/// torchcfm's moons (Tong et al. 2023, arXiv 2302.00482).
class Moons final : public NoisyCurve {
 public:
  explicit Moons(double noise = 0.05, double scale = 2, double shift = -1);
  std::string name() const override { return "moons"; }

 private:
  Tensor curve(const Tensor& u) const override;
  double scale_, shift_;
};

}  // namespace rill::datasets
