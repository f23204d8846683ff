#include "datasets/augmentation.hpp"

#include <algorithm>
#include <vector>

#include "autodiff/error.hpp"

namespace rill::datasets {
namespace {

constexpr Real kBlack = -1;

// y[i, j] = x[i - down, j - right], or black where that is outside the image.
void shift_image(const Real* x, Index height, Index width, Index down, Index right, Real* y) {
  std::fill_n(y, height * width, kBlack);
  const Index first = std::max<Index>(0, right), last = width + std::min<Index>(0, right);
  for (Index i = std::max<Index>(0, down); i < height + std::min<Index>(0, down); ++i) {
    std::copy_n(x + (i - down) * width + first - right, last - first, y + i * width + first);
  }
}

void flip_image(Real* x, Index height, Index width) {
  for (Index i = 0; i < height; ++i) std::reverse(x + i * width, x + (i + 1) * width);
}

}  // namespace

void check(const Augmentation& augmentation, Index height, Index width) {
  require(0 <= augmentation.shift && augmentation.shift < std::min(height, width), "augment: a shift of ",
          augmentation.shift, " pixels, expected 0 to ", std::min(height, width) - 1);
}

Tensor augment(const Tensor& pixels, Index height, Index width, const Augmentation& augmentation, Generator& rng) {
  require(pixels.rank() == 2 && pixels.dim(1) == height * width, "augment: expected images [n, ", height, " * ", width,
          "], got ", pixels.shape());
  check(augmentation, height, width);
  if (augmentation.empty()) return pixels;

  const Index n = pixels.dim(0), size = height * width, shift = augmentation.shift;
  Tensor result = pixels.clone();
  if (shift > 0) {
    const std::vector<Index> down = rng.integers(n, 2 * shift + 1), right = rng.integers(n, 2 * shift + 1);
    for (Index i = 0; i < n; ++i) {
      const auto k = static_cast<std::size_t>(i);
      shift_image(pixels.data() + i * size, height, width, down[k] - shift, right[k] - shift, result.data() + i * size);
    }
  }
  if (augmentation.flip) {
    const std::vector<Index> mirrored = rng.integers(n, 2);
    for (Index i = 0; i < n; ++i) {
      if (mirrored[static_cast<std::size_t>(i)] == 1) flip_image(result.data() + i * size, height, width);
    }
  }
  return result;
}

}  // namespace rill::datasets
