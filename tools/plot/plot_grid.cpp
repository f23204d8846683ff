#include "tools/plot/plot_grid.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"

namespace rill::tools {
namespace {

constexpr int kMostTicks = 7;

}  // namespace

Limits balanced(const Limits& limits) {
  require(std::isfinite(limits.width()) && std::isfinite(limits.height()) && limits.width() > 0 && limits.height() > 0,
          "plot: limits [", limits.x_low, ", ", limits.x_high, "] x [", limits.y_low, ", ", limits.y_high,
          "] are not finite and increasing");
  constexpr double kNearlySquare = 1.3, kLongest = 1.6;
  const double ratio = std::max(limits.width() / limits.height(), limits.height() / limits.width());
  const double wanted = ratio < kNearlySquare ? 1 : std::min(ratio, kLongest);
  const double more_width = std::max(0.0, limits.height() / wanted - limits.width()) / 2;
  const double more_height = std::max(0.0, limits.width() / wanted - limits.height()) / 2;
  return {limits.x_low - more_width, limits.x_high + more_width, limits.y_low - more_height,
          limits.y_high + more_height};
}

PlotGrid::PlotGrid(int rows, int columns, const Limits& limits, const PlotGridOptions& options)
    : rows_(rows),
      columns_(columns),
      options_(options),
      limits_(limits),
      ticks_(ticks_for(limits, options.width, kMostTicks)),
      margins_(margins_for(limits, ticks_, options.width, options.titles)),
      width_(pixels(options.width)),
      height_(options.equal_axes ? std::round(width_ * limits.height() / limits.width()) : width_),
      canvas_(1, 1) {
  require(rows >= 1 && columns >= 1 && options.width > 0 && options.scale > 0, "plot: ", rows, " x ", columns,
          " frames of width ", options.width, " at scale ", options.scale, ": all must be positive");
  const Rect last = frame(rows * columns - 1);
  canvas_ = Canvas(static_cast<int>(last.right + pixels(options.space_right + margins_.right)),
                   static_cast<int>(last.bottom + pixels(margins_.bottom)));
}

// All lengths are whole pixels, so that frames are sharp.
double PlotGrid::pixels(double units) const { return std::round(units * options_.scale); }

Rect PlotGrid::frame(int i) const {
  // Between rows there is room for titles, but not for tick labels.
  const double left = pixels(margins_.left) + i % columns_ * (width_ + pixels(margins_.gutter));
  const double top = pixels(margins_.top) + i / columns_ * (height_ + pixels(margins_.top));
  return {left, top, left + width_, top + height_};
}

void PlotGrid::finish(int i, const std::string& title) {
  const Axes here = axes(i);
  here.frame(ticks_, i / columns_ == rows_ - 1, i % columns_ == 0);
  here.title(title);
}

}  // namespace rill::tools
