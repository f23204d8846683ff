// An S-shaped curve.
#pragma once

#include "datasets/noisy_curve.hpp"

namespace rill::datasets {

/// Coordinates 0 and 2 of scikit-learn's make_s_curve: (sin a, sign(a) (cos a - 1)) with a ~ U[-3 pi / 2, 3 pi / 2].
/// Noise of standard deviation `noise` is added, and the sum is multiplied by `scale`. The defaults are torchcfm's
/// (Tong et al. 2023, arXiv 2302.00482).
class SCurve final : public NoisyCurve {
 public:
  explicit SCurve(double noise = 0.05, double scale = 1.5);
  std::string name() const override { return "s-curve"; }

 private:
  Tensor curve(const Tensor& u) const override;
  double scale_;
};

}  // namespace rill::datasets
