#include "nn/image_shape.hpp"

#include "autodiff/error.hpp"

namespace rill::nn {

void check(const ImageShape& image, const char* what) {
  require(image.height > 0 && image.width > 0 && image.channels > 0, what, ": images of ", image.height, " x ",
          image.width, " x ", image.channels, " (height, width, channels), expected positive sizes");
}

}  // namespace rill::nn
