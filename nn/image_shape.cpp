#include "nn/image_shape.hpp"

#include "autodiff/error.hpp"
#include "nn/init.hpp"

namespace rill::nn {

void check(const ImageShape& image, const char* what) {
  for (const Index size : {image.height, image.width, image.channels}) {
    require(1 <= size && size <= kMaxSize, what, ": images of ", image.height, " x ", image.width, " x ",
            image.channels, " (height, width, channels), expected sizes from 1 to ", kMaxSize);
  }
}

void check(const ImageShape& image, Index dimension, const char* what) {
  check(image, what);
  require(dimension == image.size(), what, ": dimension is ", dimension, ", but images of ", image.height, " x ",
          image.width, " x ", image.channels, " have ", image.size(), " numbers");
}

}  // namespace rill::nn
