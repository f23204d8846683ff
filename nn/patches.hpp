// Patches of an image as channels.
#pragma once

#include "autodiff/tensor.hpp"

namespace rill::nn {

/// Every square of patch x patch pixels becomes one pixel with all their channels, in the order (row, column,
/// channel).   [N, H, W, C] -> [N, H / patch, W / patch, patch patch C]
/// Throws std::invalid_argument unless `patch` divides H and W.
Tensor fold_patches(const Tensor& x, Index patch);
/// The inverse.   [N, H, W, patch patch C] -> [N, H patch, W patch, C]
Tensor unfold_patches(const Tensor& x, Index patch);

}  // namespace rill::nn
