// Coupling layers: one part of a point transforms the other, so that the Jacobian is triangular.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "autodiff/random.hpp"
#include "flow/bijection/bijection.hpp"
#include "flow/bijection/rational_quadratic.hpp"
#include "nn/image_shape.hpp"

namespace rill::flow {

/// The transforms of a coupling: affine, spline.
std::vector<std::string> coupling_transform_names();

/// The parameters of a coupling layer.
struct CouplingLayerOptions {
  std::string transform = "spline";
  Index bins = 8;                        ///< of a spline
  double bound = 3;                      ///< of a spline: outside [-bound, bound] it is the identity
  std::vector<Index> hidden = {64, 64};  ///< for points: hidden layers of the conditioner
  Index channels = 32;                   ///< for images: channels of its convolutions
  std::string activation = "relu";
};

/// y_kept = x_kept, y_other = f(x_other; parameters(x_kept, condition)), with f one of
///   affine   x e^s + t, s = 2 tanh(raw / 2): RealNVP's (Dinh et al., "Density Estimation Using Real NVP", 2017,
///            equation 4), whose scales are bounded so that a few bad steps cannot overflow
///   spline   rational_quadratic()
/// The determinant is the product of the slopes of f, whatever network computes the parameters. It is a perceptron of
/// the kept coordinates or, for images, three convolutions, and its last layer starts at zero: the coupling starts as
/// the identity.
class Coupling final : public Bijection {
 public:
  /// The kept channels are the first half (rounded down) or, if `keeps_last`, the last half of them.
  ///   image: its shape; for points [N, D], one pixel with D channels. condition: the number C of its numbers.
  /// Throws std::invalid_argument, naming the field, for invalid options.
  Coupling(const nn::ImageShape& image, Index condition, bool keeps_last, const CouplingLayerOptions& options,
           Generator& rng);

  Mapped forward(const Tensor& x, const Tensor& condition) const override;
  Mapped inverse(const Tensor& y, const Tensor& condition) const override;

 private:
  struct Parts {
    Tensor kept, other;  // [N H W, channels]
  };
  Parts split(const Tensor& x) const;
  Mapped joined(const Parts& parts, const Warped& warped, Index points) const;
  Tensor parameters(const Tensor& kept, const Tensor& condition, Index points) const;

  nn::ImageShape image_;
  bool keeps_last_;
  Index kept_, others_;  // channels
  CouplingLayerOptions options_;
  std::shared_ptr<nn::Layer> conditioner_;
};

}  // namespace rill::flow
