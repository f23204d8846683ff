// Downsampling and upsampling by a factor of 2.
#pragma once

#include <memory>

#include "autodiff/random.hpp"
#include "nn/convolution.hpp"

namespace rill::nn {

/// A 3 x 3 convolution with stride 2.   [N, H, W, channels] -> [N, ceil(H / 2), ceil(W / 2), channels]
class Downsample : public Layer {
 public:
  Downsample(Index channels, Generator& rng);

  using Layer::forward;
  Tensor forward(const Tensor& x) const override;

 private:
  std::shared_ptr<Conv2d> convolution_;
};

/// Nearest-neighbor upsampling, then a 3 x 3 convolution.   [N, H, W, channels] -> [N, 2 H, 2 W, channels]
class Upsample : public Layer {
 public:
  Upsample(Index channels, Generator& rng);

  using Layer::forward;
  Tensor forward(const Tensor& x) const override;

 private:
  std::shared_ptr<Conv2d> convolution_;
};

}  // namespace rill::nn
