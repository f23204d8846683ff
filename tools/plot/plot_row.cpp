#include "tools/plot/plot_row.hpp"

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

PlotRow::PlotRow(int count, const Limits& limits, const PlotRowOptions& options)
    : options_(options),
      limits_(limits),
      ticks_(ticks_for(limits, options.width, kMostTicks)),
      margins_(margins_for(limits, ticks_, options.width, options.titles)),
      width_(pixels(options.width)),
      height_(options.equal_axes ? std::round(width_ * limits.height() / limits.width()) : width_),
      canvas_(1, 1) {
  require(count >= 1 && options.width > 0 && options.scale > 0, "plot: ", count, " frames of width ", options.width,
          " at scale ", options.scale, ": all must be positive");
  const Rect last = frame(count - 1);
  canvas_ = Canvas(static_cast<int>(last.right + pixels(options.space_right + margins_.right)),
                   static_cast<int>(last.bottom + pixels(margins_.bottom)));
}

// All lengths are whole pixels, so that frames are sharp.
double PlotRow::pixels(double units) const { return std::round(units * options_.scale); }

Rect PlotRow::frame(int i) const {
  const double left = pixels(margins_.left) + i * (width_ + pixels(margins_.gutter)), top = pixels(margins_.top);
  return {left, top, left + width_, top + height_};
}

void PlotRow::finish(int i, const std::string& title) {
  const Axes here = axes(i);
  here.frame(ticks_, i == 0);
  here.title(title);
}

}  // namespace rill::tools
