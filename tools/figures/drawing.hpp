// Points and fields of tensors, drawn into axes.
#pragma once

#include "autodiff/tensor.hpp"
#include "tools/plot/axes.hpp"
#include "tools/plot/color.hpp"
#include "tools/plot/limits.hpp"

namespace rill::tools {

/// Draws points [N, 2] as disks of this radius in units of layout.
void draw_points(const Axes& axes, const Tensor& points, const Color& color, const Dots& dots);

/// Limits that show all of these points, with a margin, and standard normal noise; nearly square.
Limits limits_around(const Tensor& points, double margin = 0.4);

/// The centers of `cells` x `cells` cells over the limits, row by row from the bottom, [cells^2, 2].
Tensor cell_centers(const Limits& limits, int cells);

/// The greatest length of the rows of a field [N, 2].
double greatest_speed(const Tensor& field);

/// Arrows of a field [cells^2, 2] at the centers of cells over the limits, as of cell_centers(). An arrow of speed
/// `full` spans a cell, and faster ones are no longer.
void draw_field(const Axes& axes, const Tensor& field, const Limits& limits, int cells, double full,
                const Color& color);

}  // namespace rill::tools
