#include "nn/resampling.hpp"

#include "autodiff/ops.hpp"

namespace rill::nn {

Downsample::Downsample(Index channels, Generator& rng)
    : convolution_(register_module("convolution", std::make_shared<Conv2d>(channels, channels, 3, rng,
                                                                           Conv2dOptions{.stride = 2, .padding = 1}))) {
}

Tensor Downsample::forward(const Tensor& x) const { return convolution_->forward(x); }

Upsample::Upsample(Index channels, Generator& rng)
    : convolution_(register_module("convolution", std::make_shared<Conv2d>(channels, channels, 3, rng, same_size(3)))) {
}

Tensor Upsample::forward(const Tensor& x) const { return convolution_->forward(upsample_nearest(x, 2)); }

}  // namespace rill::nn
