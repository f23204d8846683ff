// Activation normalization: every coordinate shifted and scaled, at first to mean 0 and variance 1.
#pragma once

#include "flow/bijection/bijection.hpp"

namespace rill::flow {

/// y = (x + shift) e^log_scale, one pair for each coordinate or, for images, for each channel
/// (Kingma and Dhariwal, "Glow", 2018, section 3.1). It starts as the identity; initialize() makes the outputs of the
/// first batch have mean 0 and variance 1. Parameters: "shift" and "log_scale", [channels].
class ActNorm final : public Bijection {
 public:
  /// For points of D = positions * channels numbers, channels innermost.
  ActNorm(Index positions, Index channels);

  Mapped forward(const Tensor& x, const Tensor& condition) const override;
  Mapped inverse(const Tensor& y, const Tensor& condition) const override;
  Tensor initialize(const Tensor& x, const Tensor& condition) override;

 private:
  Index positions_, channels_;
  Tensor shift_, log_scale_;
};

}  // namespace rill::flow
