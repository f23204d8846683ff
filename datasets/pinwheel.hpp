// Arms that swirl around the origin.
#pragma once

#include "datasets/density.hpp"

namespace rill::datasets {

/// Gaussian arms twisted around the origin (Johnson et al. 2016, arXiv 1603.06277; constants of FFJORD, Grathwohl et
/// al. 2019). For arm k of `arms`, each equally likely,
///   r = 1 + 0.3 z_1,   s = 0.1 z_2,   a = 2 pi k / arms + twist e^r   with z ~ N(0, I)
///   x = scale (r cos a + s sin a, -r sin a + s cos a)
/// The angle depends on r and several r may lead to the same x, so the density has no closed form.
class Pinwheel final : public Density {
 public:
  /// Throws std::invalid_argument unless arms >= 1.
  explicit Pinwheel(Index arms = 5, double twist = 0.25, double scale = 2);

  std::string name() const override { return "pinwheel"; }
  Index dimension() const override { return 2; }
  Tensor sample(Index n, Generator& rng) const override;

 private:
  Index arms_;
  double twist_, scale_;
};

}  // namespace rill::datasets
