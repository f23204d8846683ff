// Colormaps: map a number between 0 and 1 to a color.
#pragma once

#include "tools/plot/color.hpp"

namespace rill::tools {

/// Viridis and magma by Nathaniel Smith and Stefan van der Walt (matplotlib; released under CC0): perceived lightness
/// grows evenly from dark at 0 to light at 1. Values outside [0, 1] are clamped; NaN is gray.
/// Each map interpolates linearly between every fifth of the 256 published colors, within 0.92/255 of all of them.
Color viridis(double value);
Color magma(double value);

}  // namespace rill::tools
