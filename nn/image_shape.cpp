#include "nn/image_shape.hpp"

#include "autodiff/error.hpp"

namespace rill::nn {

void check(const ImageShape& image, const char* what) {
  require(image.height > 0 && image.width > 0 && image.channels > 0, what, ": images of ", image.height, " x ",
          image.width, " x ", image.channels, " (height, width, channels), expected positive sizes");
}

void check(const ImageShape& image, Index dimension, const char* what) {
  check(image, what);
  require(dimension == image.size(), what, ": dimension is ", dimension, ", but images of ", image.height, " x ",
          image.width, " x ", image.channels, " have ", image.size(), " numbers");
}

}  // namespace rill::nn
