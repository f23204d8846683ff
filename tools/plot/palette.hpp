// Reducing pictures to 256 colors.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "tools/plot/canvas.hpp"

namespace rill::tools {

/// At most 256 colors that represent all colors of a set of pictures. The pictures share one palette, so that the still
/// parts of an animation keep their colors. No dithering, whose noise flickers and does not compress.
class Palette {
 public:
  /// Repeatedly splits the group of colors with the largest squared error, at the mean of the channel that varies most,
  /// then moves every color to the mean of those it represents (k-means). If there are at most `most` colors, each is
  /// kept exactly; otherwise only those of a hundredth of all pixels or more (backgrounds, flat areas), up to half of
  /// the palette. Throws std::invalid_argument unless 2 <= most <= 256.
  explicit Palette(std::span<const Image> images, int most = 256);

  /// 0xrrggbb.
  const std::vector<std::uint32_t>& colors() const& { return colors_; }
  const std::vector<std::uint32_t>& colors() const&& = delete;
  /// For each pixel, the number of the nearest color; the image must be one of those that the palette was made for.
  std::vector<std::uint8_t> index(const Image& image) const;

 private:
  std::vector<std::uint32_t> colors_;
  std::unordered_map<std::uint32_t, std::uint8_t> nearest_;
};

}  // namespace rill::tools
