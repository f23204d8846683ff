// The dimensions of all plots, in units of `scale` pixels.
#pragma once

namespace rill::tools::layout {

inline constexpr double kLine = 1;        // frames and ticks
inline constexpr double kTick = 4;        // length of a tick
inline constexpr double kTickGap = 4;     // from a tick to its label
inline constexpr double kTickText = 11;   // size of tick labels
inline constexpr double kTitleText = 14;  // size of titles
inline constexpr double kTitleGap = 9;    // from a title to its frame
inline constexpr double kMargin = 14;     // around the picture
inline constexpr double kGutter = 22;     // between plots

}  // namespace rill::tools::layout
