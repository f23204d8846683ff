// Random changes of images that preserve their meaning.
#pragma once

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace rill::datasets {

struct Augmentation {
  /// Mirror half of the images, left to right: suitable for clothes, not for digits and letters.
  bool flip = false;
  /// Shift each image along both axes by up to this many whole pixels; new pixels are black.
  Index shift = 0;

  bool empty() const { return !flip && shift == 0; }
  friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

/// Throws std::invalid_argument for a shift outside [0, min(height, width)).
void check(const Augmentation& augmentation, Index height, Index width);

/// The images, each changed independently.   pixels: [n, height * width] in [-1, 1] -> the same shape
/// Draws nothing from `rng` if there is nothing to change. Throws std::invalid_argument for pixels that are not
/// images of this size, and as check() does.
Tensor augment(const Tensor& pixels, Index height, Index width, const Augmentation& augmentation, Generator& rng);

}  // namespace rill::datasets
