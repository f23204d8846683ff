// Color maps: a number between 0 and 1 becomes a color.
#pragma once

#include "tools/plot/color.hpp"

namespace rill::tools {

/// Viridis and magma by Nathaniel Smith and Stefan van der Walt (matplotlib; released under CC0): perceived lightness
/// grows evenly from dark at 0 to light at 1. Values outside [0, 1] take the color of the nearer end; NaN is gray.
/// Each map is a line through every fifth of the 256 published colors, at most 0.92/255 from any of them.
Color viridis(double value);
Color magma(double value);

}  // namespace rill::tools
