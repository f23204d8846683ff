// Many small pictures in rows and columns.
#pragma once

#include <span>
#include <string>

#include "autodiff/real.hpp"
#include "tools/plot/canvas.hpp"

namespace rill::tools {

struct ImageGridOptions {
  int columns = 10;
  /// Pixels of the picture per pixel of the images.
  int zoom = 3;
  /// Written to the left of each row; empty, or one for each row.
  std::span<const std::string> row_labels;
};

/// Draws gray images row by row. `pixels` are [n, height * width] values, rows from the top, -1 black and 1 white;
/// values outside are clipped and NaN is drawn in orange. Throws std::invalid_argument when `pixels` is not a whole
/// number of images, there is none, or labels and rows differ in number.
Image image_grid(std::span<const Real> pixels, int height, int width, const ImageGridOptions& options = {});

}  // namespace rill::tools
