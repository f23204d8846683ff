#include "nn/patches.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::nn {

Tensor fold_patches(const Tensor& x, Index patch) {
  require(x.rank() == 4 && patch > 0 && x.dim(1) % patch == 0 && x.dim(2) % patch == 0, "fold_patches: x ", x.shape(),
          ", patch ", patch, ": expected [N, H, W, C] and a divisor of H and W");
  if (patch == 1) return x;
  const Index n = x.dim(0), rows = x.dim(1) / patch, columns = x.dim(2) / patch, channels = x.dim(3);
  const Tensor squares = permute(reshape(x, {n, rows, patch, columns, patch, channels}), {0, 1, 3, 2, 4, 5});
  return reshape(squares, {n, rows, columns, patch * patch * channels});
}

Tensor unfold_patches(const Tensor& x, Index patch) {
  require(x.rank() == 4 && patch > 0 && x.dim(3) % (patch * patch) == 0, "unfold_patches: x ", x.shape(), ", patch ",
          patch, ": expected [N, H, W, C] and a multiple of patch * patch channels");
  if (patch == 1) return x;
  const Index n = x.dim(0), rows = x.dim(1), columns = x.dim(2), channels = x.dim(3) / (patch * patch);
  const Tensor lines = permute(reshape(x, {n, rows, columns, patch, patch, channels}), {0, 1, 3, 2, 4, 5});
  return reshape(lines, {n, rows * patch, columns * patch, channels});
}

}  // namespace rill::nn
