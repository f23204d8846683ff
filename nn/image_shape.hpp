// The size of the images that a network works on.
#pragma once

#include "autodiff/description.hpp"
#include "autodiff/ops.hpp"

namespace rill::nn {

/// Images are passed as rows: [N, height * width * channels], one image per row, its pixels row by row, channels last.
struct ImageShape {
  Index height = 28, width = 28, channels = 1;

  Index size() const { return height * width * channels; }

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("height", self.height, {});
    visit("width", self.width, {});
    visit("channels", self.channels, {});
  }
  friend bool operator==(const ImageShape&, const ImageShape&) = default;
};

/// Throws std::invalid_argument, beginning with `what`, unless all three sizes are from 1 to kMaxSize (nn/init.hpp).
void check(const ImageShape& image, const char* what);
/// The same, and unless `dimension` is the size of such an image.
void check(const ImageShape& image, Index dimension, const char* what);

/// Rows as images: [N, size()] -> [N, height, width, channels], the same numbers.
inline Tensor as_images(const Tensor& rows, const ImageShape& image) {
  return reshape(rows, {rows.dim(0), image.height, image.width, image.channels});
}
/// Images as rows: [N, H, W, C] -> [N, H W C].
inline Tensor as_rows(const Tensor& images) { return reshape(images, {images.dim(0), -1}); }

}  // namespace rill::nn
