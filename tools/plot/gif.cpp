#include "tools/plot/gif.hpp"

#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "tools/plot/palette.hpp"

namespace rill::tools {
namespace {

void check(int status, int error) {
  if (status == GIF_OK) return;
  const char* reason = GifErrorString(error);
  throw std::runtime_error(concat("gif: ", reason != nullptr ? reason : "unknown error"));
}

struct Encoder {
  std::string bytes;
  GifFileType* file = nullptr;

  Encoder() {
    int error = 0;
    file = EGifOpen(
        this,
        [](GifFileType* self, const GifByteType* data, int size) {
          static_cast<Encoder*>(self->UserData)
              ->bytes.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
          return size;
        },
        &error);
    if (file == nullptr) check(GIF_ERROR, error);
  }
  ~Encoder() {
    if (file != nullptr) EGifCloseFile(file, nullptr);
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  void check_last(int status) const { check(status, file->Error); }

  std::string finish() {
    int error = 0;
    const int status = EGifCloseFile(file, &error);
    file = nullptr;
    check(status, error);
    return std::move(bytes);
  }
};

struct Region {
  int left, top, right, bottom;
};

// The smallest rectangle outside which two frames agree; one pixel when they agree everywhere.
Region changed_region(const std::vector<std::uint8_t>& before, const std::vector<std::uint8_t>& after, int width,
                      int height) {
  Region region{width, height, 0, 0};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const std::size_t i = static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
      if (before[i] == after[i]) continue;
      region = {std::min(region.left, x), std::min(region.top, y), std::max(region.right, x + 1), y + 1};
    }
  }
  return region.right > 0 ? region : Region{0, 0, 1, 1};
}

void put_palette(Encoder& encoder, const Palette& palette, int width, int height) {
  const std::vector<std::uint32_t>& colors = palette.colors();
  int size = 2;  // a power of two
  while (size < static_cast<int>(colors.size())) size *= 2;
  std::vector<GifColorType> entries(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < colors.size(); ++i) {
    entries[i] = {static_cast<GifByteType>(colors[i] >> 16), static_cast<GifByteType>(colors[i] >> 8),
                  static_cast<GifByteType>(colors[i])};
  }
  const std::unique_ptr<ColorMapObject, void (*)(ColorMapObject*)> map(GifMakeMapObject(size, entries.data()),
                                                                       GifFreeMapObject);
  require(map != nullptr, "gif: cannot make a palette of ", size, " colors");
  EGifSetGifVersion(encoder.file, true);  // GIF89a, for animation
  encoder.check_last(EGifPutScreenDesc(encoder.file, width, height, 8, 0, map.get()));
}

// The Netscape extension: repeat forever.
void put_loop(Encoder& encoder) {
  constexpr std::array<GifByteType, 3> kForever = {1, 0, 0};
  encoder.check_last(EGifPutExtensionLeader(encoder.file, APPLICATION_EXT_FUNC_CODE));
  encoder.check_last(EGifPutExtensionBlock(encoder.file, 11, "NETSCAPE2.0"));
  encoder.check_last(EGifPutExtensionBlock(encoder.file, kForever.size(), kForever.data()));
  encoder.check_last(EGifPutExtensionTrailer(encoder.file));
}

void put_frame(Encoder& encoder, std::vector<std::uint8_t>& indices, int width, const Region& region, double seconds) {
  GraphicsControlBlock control{};
  control.DisposalMode = DISPOSE_DO_NOT;
  control.DelayTime = std::max(2, static_cast<int>(std::lround(100 * std::min(seconds, 600.0))));
  control.TransparentColor = NO_TRANSPARENT_COLOR;
  std::array<GifByteType, 4> block;
  const auto size = static_cast<int>(EGifGCBToExtension(&control, block.data()));
  encoder.check_last(EGifPutExtension(encoder.file, GRAPHICS_EXT_FUNC_CODE, size, block.data()));
  const int columns = region.right - region.left;
  encoder.check_last(
      EGifPutImageDesc(encoder.file, region.left, region.top, columns, region.bottom - region.top, false, nullptr));
  for (int y = region.top; y < region.bottom; ++y) {
    const std::size_t start = static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
    encoder.check_last(EGifPutLine(encoder.file, &indices[start + static_cast<std::size_t>(region.left)], columns));
  }
}

}  // namespace

std::string encode_gif(std::span<const Image> frames, const GifOptions& options) {
  constexpr int kLargest = 65535;
  require(!frames.empty(), "gif: no frames");
  const int width = frames[0].width, height = frames[0].height;
  require(width > 0 && height > 0 && width <= kLargest && height <= kLargest, "gif: ", width, " x ", height,
          " pixels: both must be from 1 to ", kLargest);
  for (const Image& frame : frames) {
    require(frame.width == width && frame.height == height, "gif: a frame of ", frame.width, " x ", frame.height,
            " pixels among frames of ", width, " x ", height);
  }

  const Palette palette(frames, options.colors);
  Encoder encoder;
  put_palette(encoder, palette, width, height);
  put_loop(encoder);
  std::vector<std::uint8_t> before;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    std::vector<std::uint8_t> indices = palette.index(frames[i]);
    const Region region = i == 0 ? Region{0, 0, width, height} : changed_region(before, indices, width, height);
    put_frame(encoder, indices, width, region, i + 1 == frames.size() ? options.last_seconds : options.frame_seconds);
    before = std::move(indices);
  }
  return encoder.finish();
}

void write_gif(const std::string& path, std::span<const Image> frames, const GifOptions& options) {
  write_file_atomically(path, encode_gif(frames, options));
}

}  // namespace rill::tools
