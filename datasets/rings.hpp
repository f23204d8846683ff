// Concentric circles.
#pragma once

#include "datasets/noisy_curve.hpp"

namespace rill::datasets {

/// `count` circles around the origin with the radii radius / count, 2 radius / count, ..., radius. All are equally
/// likely, and the position on each is uniform. Noise of standard deviation `noise` is added. The defaults are FFJORD's
/// (Grathwohl et al. 2019).
class Rings final : public NoisyCurve {
 public:
  /// Throws std::invalid_argument unless count >= 1 and radius > 0.
  explicit Rings(Index count = 4, double radius = 3, double noise = 0.08);
  std::string name() const override { return "rings"; }

 private:
  Tensor curve(const Tensor& u) const override;
  Index count_;
  double radius_;
};

}  // namespace rill::datasets
