// A stroke font: every letter is a few lines and curves, drawn with a round pen at any size.
#pragma once

#include <string_view>
#include <vector>

#include "tools/plot/geometry.hpp"

namespace rill::tools {

/// Height of capitals and digits above the baseline as a share of the size, measured between the middles of strokes.
inline constexpr double kCapHeight = 0.7;
/// With strokes of the usual weight no ink lies higher above the baseline or deeper below it.
inline constexpr double kAscent = 0.81;
inline constexpr double kDescent = 0.25;

/// The advance width of `text` in pixels, at `size` pixels per em. The ink lies within it.
/// Text is UTF-8. There are glyphs for all of printable ASCII, the minus sign (U+2212) and the times sign (U+00D7);
/// any other character is an empty box.
double text_width(std::string_view text, double size);

/// The center lines of the text's strokes, for a pen that starts at `start` on the baseline; y grows downward.
std::vector<std::vector<Point>> text_outline(std::string_view text, Point start, double size);

}  // namespace rill::tools
