// Surfaces over the plane, in perspective.
#pragma once

#include <span>

#include "autodiff/real.hpp"
#include "tools/plot/canvas.hpp"
#include "tools/plot/geometry.hpp"

namespace rill::tools {

struct SurfaceView {
  double turn = 0.6;   ///< of the camera around the vertical, in radians
  double rise = 0.55;  ///< of the camera above the plane, in radians
  double high = 1;     ///< the value that is drawn as high as half a side of the base
};

/// Draws a field, [rows, columns] with the first row at the bottom of the plane, as a surface of height value / high
/// over a square base, inside `frame`. Quads are drawn from far to near, so that those in front hide those behind.
/// Colors are those of viridis, by height. `line` is the width of the mesh lines in pixels. Throws
/// std::invalid_argument unless values are [rows, columns] with two or more of each, and high > 0.
void draw_surface(Canvas& canvas, const Rect& frame, std::span<const Real> values, int rows, int columns,
                  const SurfaceView& view, double line);

}  // namespace rill::tools
