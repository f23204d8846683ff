// A spiral.
#pragma once

#include "datasets/noisy_curve.hpp"

namespace rill::datasets {

/// Coordinates 0 and 2 of scikit-learn's make_swiss_roll: (a cos a, a sin a) with a ~ U[3 pi / 2, 9 pi / 2].
/// Noise of standard deviation `noise` is added, and the sum is multiplied by `scale`. The defaults are FFJORD's
/// (Grathwohl et al. 2019).
class SwissRoll final : public NoisyCurve {
 public:
  explicit SwissRoll(double noise = 1, double scale = 0.2);
  std::string name() const override { return "swiss-roll"; }

 private:
  Tensor curve(const Tensor& u) const override;
  double scale_;
};

}  // namespace rill::datasets
