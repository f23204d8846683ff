// Animated GIF files.
#pragma once

#include <span>
#include <string>

#include "tools/plot/canvas.hpp"

namespace rill::tools {

struct GifOptions {
  /// How long each frame is shown, and the last one; rounded to hundredths of a second, at least 0.02 s.
  double frame_seconds = 0.05;
  double last_seconds = 2;
  /// Colors in the palette that all frames share, 2 to 256. Fewer make smaller files.
  int colors = 256;
};

/// The bytes of a GIF that plays `frames` over and over. Each frame after the first stores only the rectangle in which
/// it differs from the one before. Throws std::invalid_argument without frames, for frames of different sizes or
/// larger than 65535 pixels.
std::string encode_gif(std::span<const Image> frames, const GifOptions& options = {});

/// Writes encode_gif() to `path` all at once. Throws FileError, which names `path`, when it cannot be written.
void write_gif(const std::string& path, std::span<const Image> frames, const GifOptions& options = {});

}  // namespace rill::tools
