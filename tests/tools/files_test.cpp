// PNG and GIF files, read back by libpng and giflib.
#include <gif_lib.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/random.hpp"
#include "tests/temporary_folder.hpp"
#include "tools/plot/gif.hpp"
#include "tools/plot/palette.hpp"
#include "tools/plot/png.hpp"
#include "tools/plot/scatter.hpp"

namespace rill::tools {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using testing_support::TemporaryFolder;

Image noise(int width, int height, std::uint64_t seed) {
  Image image{width, height, {}};
  Generator rng(seed);
  for (const Index value : rng.integers(3 * width * height, 256)) image.rgb.push_back(static_cast<std::uint8_t>(value));
  return image;
}

Image decode_png(const std::string& bytes) {
  png_image description{};
  description.version = PNG_IMAGE_VERSION;
  EXPECT_TRUE(png_image_begin_read_from_memory(&description, bytes.data(), bytes.size())) << description.message;
  description.format = PNG_FORMAT_RGB;
  Image image{static_cast<int>(description.width), static_cast<int>(description.height), {}};
  image.rgb.resize(PNG_IMAGE_SIZE(description));
  EXPECT_TRUE(png_image_finish_read(&description, nullptr, image.rgb.data(), 0, nullptr)) << description.message;
  return image;
}

struct Film {
  std::vector<Image> frames;  // as a viewer shows them
  std::vector<double> seconds;
  bool loops = false;
};

Film decode_gif(std::string_view bytes) {
  int error = 0;
  const auto read = [](GifFileType* file, GifByteType* data, int size) {
    auto& rest = *static_cast<std::string_view*>(file->UserData);
    const std::size_t count = std::min(rest.size(), static_cast<std::size_t>(size));
    std::memcpy(data, rest.data(), count);
    rest.remove_prefix(count);
    return static_cast<int>(count);
  };
  const std::unique_ptr<GifFileType, void (*)(GifFileType*)> file(
      DGifOpen(&bytes, read, &error), [](GifFileType* open) { DGifCloseFile(open, nullptr); });
  Film film;
  if (file == nullptr || DGifSlurp(file.get()) != GIF_OK) {
    ADD_FAILURE() << "giflib cannot read the file back";
    return film;
  }
  Image shown{file->SWidth, file->SHeight, {}};
  shown.rgb.resize(static_cast<std::size_t>(3 * file->SWidth * file->SHeight));
  for (int i = 0; i < file->ImageCount; ++i) {
    const SavedImage& saved = file->SavedImages[i];
    const GifImageDesc& area = saved.ImageDesc;
    for (int y = 0; y < area.Height; ++y) {
      for (int x = 0; x < area.Width; ++x) {
        const GifColorType color = file->SColorMap->Colors[saved.RasterBits[y * area.Width + x]];
        std::uint8_t* rgb = &shown.rgb[static_cast<std::size_t>(3 * ((area.Top + y) * file->SWidth + area.Left + x))];
        rgb[0] = color.Red;
        rgb[1] = color.Green;
        rgb[2] = color.Blue;
      }
    }
    film.frames.push_back(shown);
    GraphicsControlBlock control{};
    EXPECT_EQ(DGifSavedExtensionToGCB(file.get(), i, &control), GIF_OK);
    film.seconds.push_back(control.DelayTime / 100.0);
    for (int j = 0; j < saved.ExtensionBlockCount; ++j) {
      const ExtensionBlock& block = saved.ExtensionBlocks[j];
      if (block.Function == APPLICATION_EXT_FUNC_CODE && block.ByteCount == 11) {
        film.loops = std::string_view(reinterpret_cast<const char*>(block.Bytes), 11) == "NETSCAPE2.0";
      }
    }
  }
  return film;
}

// Points moving from a normal distribution to a ring, as in the programs' animations.
std::vector<Image> flow(int count) {
  Generator rng(5);
  const int points = 1000;
  std::vector<Real> start(2 * points), end(2 * points);
  rng.normal(2 * points, start.data());
  rng.uniform(2 * points, end.data());
  std::vector<std::vector<double>> states;
  std::vector<double> times;
  for (int k = 0; k < count; ++k) {
    const double t = static_cast<double>(k) / (count - 1);
    std::vector<double>& x = states.emplace_back();
    for (std::size_t i = 0; i < start.size(); i += 2) {
      const double angle = 2 * std::acos(-1.0) * end[i], radius = 2 + end[i + 1];
      x.push_back((1 - t) * start[i] + t * radius * std::cos(angle));
      x.push_back((1 - t) * start[i + 1] + t * radius * std::sin(angle));
    }
    times.push_back(t);
  }
  const std::vector<std::span<const double>> spans(states.begin(), states.end());
  return scatter_film(spans, times, kOrange, {.limits = {}, .width = 200, .scale = 1});
}

TEST(Png, ReadsBackTheSamePixels) {
  for (const auto& [width, height] : {std::pair{1, 1}, {37, 23}, {3, 200}}) {
    const Image image = noise(width, height, 1);
    EXPECT_EQ(decode_png(encode_png(image)), image);
  }
  EXPECT_THROW(encode_png({2, 2, {1, 2, 3}}), std::invalid_argument);
  EXPECT_THROW(encode_png({}), std::invalid_argument);
}

TEST(Png, WritesAndReplacesFiles) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.png";
  write_png(path, noise(20, 20, 1));
  const Image second = noise(30, 10, 2);
  write_png(path, second);
  EXPECT_EQ(decode_png(read_file(path)), second);
  // No temporary file is left.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Pictures, UnwritablePlacesAreNamed) {
  const TemporaryFolder folder;
  const Image image = noise(8, 8, 1);
  const auto expect_named = [&](const std::string& path) {
    EXPECT_THAT([&] { write_png(path, image); }, ThrowsMessage<FileError>(HasSubstr(path)));
    EXPECT_THAT([&] { write_gif(path, {&image, 1}); }, ThrowsMessage<FileError>(HasSubstr(path)));
  };
  expect_named(folder / "missing/a.png");
  expect_named(folder.path());
  if (std::filesystem::exists("/dev/full")) expect_named("/dev/full");
  if (::geteuid() != 0) {  // root may write anywhere
    std::filesystem::permissions(folder.path(),
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    expect_named(folder / "a.png");
    std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
  }
}

TEST(Palette, KeepsFewColorsExactlyAndApproximatesMany) {
  const auto mapped = [](const Image& image, int most) {
    const Palette palette({&image, 1}, most);
    EXPECT_LE(palette.colors().size(), static_cast<std::size_t>(most));
    Image result{image.width, image.height, {}};
    for (const std::uint8_t i : palette.index(image)) {
      const std::uint32_t color = palette.colors()[i];
      for (const int shift : {16, 8, 0}) result.rgb.push_back(static_cast<std::uint8_t>(color >> shift));
    }
    return result;
  };
  // A gray ramp of exactly 256 colors.
  Image ramp{256, 1, {}};
  for (int i = 0; i < 256; ++i) ramp.rgb.insert(ramp.rgb.end(), 3, static_cast<std::uint8_t>(i));
  EXPECT_EQ(mapped(ramp, 256), ramp);
  // To 16 colors: the best possible has steps of 16, so no color is more than 8 away; cuts at means come near that.
  const Image coarse = mapped(ramp, 16);
  for (std::size_t i = 0; i < ramp.rgb.size(); ++i) EXPECT_NEAR(coarse.rgb[i], ramp.rgb[i], 12);
  // Flat areas keep their color, whatever else is in the picture.
  Image busy = noise(64, 64, 3);
  std::fill(busy.rgb.begin(), busy.rgb.begin() + 3 * 64 * 16, static_cast<std::uint8_t>(255));
  const Image reduced = mapped(busy, 32);
  EXPECT_TRUE(std::equal(busy.rgb.begin(), busy.rgb.begin() + 3 * 64 * 16, reduced.rgb.begin()));
  EXPECT_THROW(Palette({&ramp, 1}, 1), std::invalid_argument);
  EXPECT_THROW(Palette({&ramp, 1}, 257), std::invalid_argument);
}

TEST(Gif, ReadsBackFramesDelaysAndLoop) {
  const std::vector<Image> frames = flow(6);
  const Film film = decode_gif(encode_gif(frames, {.frame_seconds = 0.07, .last_seconds = 1.5}));
  ASSERT_EQ(film.frames.size(), frames.size());
  EXPECT_TRUE(film.loops);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_DOUBLE_EQ(film.seconds[i], i + 1 == frames.size() ? 1.5 : 0.07);
    ASSERT_EQ(film.frames[i].width, frames[i].width);
    ASSERT_EQ(film.frames[i].height, frames[i].height);
    double squares = 0;
    int largest = 0;
    for (std::size_t j = 0; j < frames[i].rgb.size(); ++j) {
      const int error = std::abs(film.frames[i].rgb[j] - frames[i].rgb[j]);
      largest = std::max(largest, error);
      squares += error * error;
    }
    // Below visible differences: the picture has one color and a few grays on white, blended.
    EXPECT_LE(largest, 16);
    EXPECT_LE(std::sqrt(squares / static_cast<double>(frames[i].rgb.size())), 1);
  }
}

TEST(Gif, WhatStandsStillDoesNotFlicker) {
  const std::vector<Image> frames = flow(4);
  const Film film = decode_gif(encode_gif(frames, {.colors = 16}));
  ASSERT_EQ(film.frames.size(), frames.size());
  int same = 0;
  for (std::size_t i = 1; i < frames.size(); ++i) {
    for (std::size_t j = 0; j < frames[i].rgb.size(); j += 3) {
      const auto equal = [j](const Image& a, const Image& b) {
        return std::equal(&a.rgb[j], &a.rgb[j] + 3, &b.rgb[j]);
      };
      if (!equal(frames[i], frames[i - 1])) continue;
      ++same;
      ASSERT_TRUE(equal(film.frames[i], film.frames[i - 1])) << i << " " << j;
    }
  }
  EXPECT_GT(same, 10000);
}

TEST(Gif, OddCases) {
  const Image still = noise(5, 7, 1);  // 35 colors: kept exactly
  const std::vector<Image> twice = {still, still};
  const Film film = decode_gif(encode_gif(twice, {.frame_seconds = 0, .last_seconds = 0}));
  EXPECT_EQ(film.frames, twice);
  EXPECT_EQ(film.seconds, (std::vector{0.02, 0.02}));
  const Image white{1, 1, {255, 255, 255}};
  EXPECT_EQ(decode_gif(encode_gif({&white, 1})).frames[0], white);
  EXPECT_THROW(encode_gif({}), std::invalid_argument);
  EXPECT_THAT(
      [&] {
        encode_gif(std::vector{still, white});
      },
      ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("1 x 1"), HasSubstr("5 x 7"))));
}

TEST(Gif, FilmsStaySmall) {
  // 60 frames of 10,000 points at 480 pixels take under 3 MB; this is the same per frame and point with less of both.
  const std::vector<Image> frames = flow(10);
  EXPECT_LT(encode_gif(frames, {.colors = 64}).size(), 10u * 1000 * 12);
}

}  // namespace
}  // namespace rill::tools
