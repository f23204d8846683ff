// PNG files.
#pragma once

#include <string>

#include "tools/plot/canvas.hpp"

namespace rill::tools {

/// The bytes of a PNG file (RGB, 8 bits) that holds `image`, compressed by libpng.
std::string encode_png(const Image& image);

/// Writes `image` to `path` all at once: a reader finds the old file or the whole new one.
/// Throws FileError, which names `path`, when it cannot be written (no folder, no permission, disk full).
void write_png(const std::string& path, const Image& image);

}  // namespace rill::tools
