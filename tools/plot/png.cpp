#include "tools/plot/png.hpp"

#include <png.h>

#include <stdexcept>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"

namespace rill::tools {

std::string encode_png(const Image& image) {
  png_image description{};
  description.version = PNG_IMAGE_VERSION;
  description.width = static_cast<png_uint_32>(image.width);
  description.height = static_cast<png_uint_32>(image.height);
  description.format = PNG_FORMAT_RGB;
  require(image.width > 0 && image.height > 0 && PNG_IMAGE_SIZE(description) == image.rgb.size(), "png: ", image.width,
          " x ", image.height, " pixels do not take ", image.rgb.size(), " bytes");

  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(description);
  std::string encoded(bytes, '\0');
  if (!png_image_write_to_memory(&description, encoded.data(), &bytes, 0, image.rgb.data(), 0, nullptr)) {
    throw std::runtime_error(concat("png: ", description.message));
  }
  encoded.resize(bytes);
  return encoded;
}

void write_png(const std::string& path, const Image& image) { write_file_atomically(path, encode_png(image)); }

}  // namespace rill::tools
