#include "tools/plot/image_grid.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "autodiff/error.hpp"
#include "tools/plot/font.hpp"

namespace rill::tools {
namespace {

Image gray_image(std::span<const Real> pixels, int height, int width) {
  Image image{width, height, {}};
  image.rgb.reserve(3 * pixels.size());
  for (const Real value : pixels) {
    if (std::isnan(value)) {
      for (const double part : {kOrange.red, kOrange.green, kOrange.blue}) {
        image.rgb.push_back(static_cast<std::uint8_t>(std::lround(255 * part)));
      }
    } else {
      const auto gray = std::lround(127.5 * (std::clamp<double>(value, -1, 1) + 1));
      image.rgb.insert(image.rgb.end(), 3, static_cast<std::uint8_t>(gray));
    }
  }
  return image;
}

}  // namespace

Image image_grid(std::span<const Real> pixels, int height, int width, const ImageGridOptions& options) {
  require(height > 0 && width > 0 && options.columns > 0 && options.zoom > 0, "image grid: ", options.columns,
          " columns of ", height, " x ", width, " pixels, zoom ", options.zoom, ": all must be positive");
  const std::size_t size = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  require(!pixels.empty() && pixels.size() % size == 0, "image grid: ", pixels.size(), " values are not images of ",
          height, " x ", width, " pixels");
  const int count = static_cast<int>(pixels.size() / size);
  const int columns = std::min(options.columns, count), rows = (count + columns - 1) / columns;
  const auto& labels = options.row_labels;
  require(labels.empty() || static_cast<int>(labels.size()) == rows, "image grid: ", labels.size(), " labels for ",
          rows, " rows");

  const int gap = 2 * options.zoom, step_x = width * options.zoom + gap, step_y = height * options.zoom + gap;
  const int margin = 4 * gap;
  // A quarter of a row, but never so small that it cannot be read.
  const double text = std::max(12.0, 0.24 * step_y);
  double label_width = 0;
  for (const std::string& label : labels) label_width = std::max(label_width, text_width(label, text));
  const int left = margin + (labels.empty() ? 0 : static_cast<int>(std::ceil(label_width)) + margin);

  Canvas canvas(left + columns * step_x - gap + margin, margin + rows * step_y - gap + margin);
  for (int i = 0; i < count; ++i) {
    const Image image = gray_image(pixels.subspan(static_cast<std::size_t>(i) * size, size), height, width);
    canvas.image(left + (i % columns) * step_x, margin + (i / columns) * step_y, image, options.zoom);
  }
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const double middle = margin + (static_cast<double>(row) + 0.5) * step_y - gap / 2.0;
    canvas.text({static_cast<double>(left - margin), middle + kCapHeight * text / 2}, labels[row],
                {text, kGray, Align::kRight});
  }
  return canvas.image();
}

}  // namespace rill::tools
