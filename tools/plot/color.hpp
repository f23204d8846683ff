// Colors, and the few that every picture uses.
#pragma once

#include <cstdint>

namespace rill::tools {

/// Red, green and blue as files store them (sRGB), and opacity; each in [0, 1].
struct Color {
  double red = 0;
  double green = 0;
  double blue = 0;
  double opacity = 1;

  /// From 0xrrggbb.
  static constexpr Color hex(std::uint32_t rgb) {
    return {((rgb >> 16) & 255) / 255.0, ((rgb >> 8) & 255) / 255.0, (rgb & 255) / 255.0, 1};
  }
  constexpr Color with_opacity(double value) const { return {red, green, blue, value}; }
};

inline constexpr Color kWhite = Color::hex(0xffffff);
/// Primary text and data (kInk), secondary text (kGray).
inline constexpr Color kInk = Color::hex(0x1f2933);
inline constexpr Color kGray = Color::hex(0x5f6b7a);
/// Frames, ticks and grid lines.
inline constexpr Color kFrameGray = Color::hex(0xb8c1cc);
inline constexpr Color kGridGray = Color::hex(0xe8ecf0);
/// Samples are blue. Lines of trajectories and invalid pixels are orange. Charts use the others for further series.
inline constexpr Color kBlue = Color::hex(0x2563a8);
inline constexpr Color kOrange = Color::hex(0xd1561b);
inline constexpr Color kTeal = Color::hex(0x12806f);
inline constexpr Color kPurple = Color::hex(0x7a4b9e);

}  // namespace rill::tools
