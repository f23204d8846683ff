// The convolutional layer.
#pragma once

#include <memory>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "nn/module.hpp"

namespace rill::nn {

/// conv2d of an image with a square window and a bias.
/// x: [N, H, W, in], weight: [kernel, kernel, in / groups, out], bias: [out] -> [N, H', W', out]
class Conv2d : public Layer {
 public:
  /// PyTorch's default initialization: weight and bias uniform in +- 1 / sqrt(kernel^2 in / groups).
  /// Throws std::invalid_argument unless the sizes are positive and groups divides both channel counts.
  Conv2d(Index in, Index out, Index kernel, Generator& rng, const Conv2dOptions& options = {});
  /// All zeros: the last layer of a residual branch, so that training starts from the identity.
  static std::shared_ptr<Conv2d> zeros(Index in, Index out, Index kernel, const Conv2dOptions& options = {});
  Conv2d(Tensor weight, Tensor bias, const Conv2dOptions& options = {});

  using Layer::forward;
  Tensor forward(const Tensor& x) const override;

 private:
  Conv2d(const Shape& weight, Generator& rng, const Conv2dOptions& options);

  Tensor weight_, bias_;
  Conv2dOptions options_;
};

/// The options with which a kernel of odd size preserves H and W.
inline Conv2dOptions same_size(Index kernel) { return {.padding = kernel / 2}; }

}  // namespace rill::nn
