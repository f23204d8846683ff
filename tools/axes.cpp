#include "tools/axes.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <vector>

#include "autodiff/error.hpp"
#include "tools/font.hpp"
#include "tools/layout.hpp"
#include "tools/ticks.hpp"

namespace rill::tools {
namespace {

struct Range {
  double low;
  double high;
};

Range robust_range(std::vector<double>& values) {
  if (values.empty()) return {-1, 1};
  std::sort(values.begin(), values.end());
  constexpr double kTail = 0.005, kReach = 0.3, kMargin = 0.05;
  const auto last = static_cast<double>(values.size() - 1);
  const double low = values[static_cast<std::size_t>(std::ceil(kTail * last))];
  const double high = values[static_cast<std::size_t>(std::floor((1 - kTail) * last))];
  const double reach = kReach * (high - low);
  const Range range{*std::lower_bound(values.begin(), values.end(), low - reach),
                    *std::prev(std::upper_bound(values.begin(), values.end(), high + reach))};
  // All values the same, or so close that float coordinates could not tell pixels apart.
  const double least = 1e-5 * std::max(std::abs(range.low), std::abs(range.high));
  const double width = range.high - range.low;
  const double margin = width > least ? kMargin * width : std::max(least, range.low == 0 ? 1 : 0.5 * std::abs(range.low));
  return {range.low - margin, range.high + margin};
}

// Ticks of the x axis, as many as leave room between their labels.
std::vector<Tick> uncrowded_ticks(const Limits& limits, int most, double width, double text_size) {
  for (;; --most) {
    std::vector<Tick> ticks = nice_ticks(limits.x_low, limits.x_high, most);
    double needed = 0;
    for (const Tick& tick : ticks) needed += text_width(tick.label, text_size) + text_size;
    if (needed <= width || most == 1) return ticks;
  }
}

bool is_finite(Real x, Real y) { return std::isfinite(x) && std::isfinite(y); }

}  // namespace

Limits robust_limits(std::span<const std::span<const Real>> point_sets) {
  std::vector<double> x, y;
  for (const auto& values : point_sets) {
    require(values.size() % 2 == 0, "plot: points in the plane are pairs, not ", values.size(), " numbers");
    for (std::size_t i = 0; i < values.size(); i += 2) {
      if (!is_finite(values[i], values[i + 1])) continue;
      x.push_back(values[i]);
      y.push_back(values[i + 1]);
    }
  }
  const Range across = robust_range(x), up = robust_range(y);
  return {across.low, across.high, up.low, up.high};
}

Dots dots_for(std::size_t count, double scale) {
  constexpr double kSparse = 500;  // up to this many are drawn in full size
  const double share = std::pow(std::min(1.0, kSparse / static_cast<double>(std::max<std::size_t>(count, 1))), 0.25);
  return {2.2 * scale * share, 0.8 * share};
}

Axes::Axes(Canvas& canvas, const Rect& frame, const Limits& limits, double scale)
    : canvas_(canvas), frame_(frame), limits_(limits), scale_(scale) {}

Point Axes::at(double x, double y) const {
  return {frame_.left + (x - limits_.x_low) / limits_.width() * frame_.width(),
          frame_.bottom - (y - limits_.y_low) / limits_.height() * frame_.height()};
}

void Axes::points(std::span<const Real> values, const Color& color, const Dots& dots) const {
  canvas_.clip(frame_);
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
    if (is_finite(values[i], values[i + 1])) {
      canvas_.disc(at(values[i], values[i + 1]), dots.radius, color.with_opacity(dots.opacity));
    }
  }
  canvas_.reset_clip();
}

void Axes::frame(int most_ticks, bool y_labels) const {
  const double line = layout::kLine * scale_, tick = layout::kTick * scale_, size = layout::kTickText * scale_;
  const Rect& f = frame_;
  canvas_.rectangle({f.left - line, f.top - line, f.right + line, f.top}, kFrameGray);
  canvas_.rectangle({f.left - line, f.bottom, f.right + line, f.bottom + line}, kFrameGray);
  canvas_.rectangle({f.left - line, f.top, f.left, f.bottom}, kFrameGray);
  canvas_.rectangle({f.right, f.top, f.right + line, f.bottom}, kFrameGray);

  for (const Tick& mark : uncrowded_ticks(limits_, most_ticks, frame_.width(), size)) {
    const double x = std::round(at(mark.value, 0).x - line / 2);
    canvas_.rectangle({x, f.bottom + line, x + line, f.bottom + line + tick}, kFrameGray);
    canvas_.text({x + line / 2, f.bottom + line + tick + layout::kTickGap * scale_ + kCapHeight * size}, mark.label,
                 {size, kGray, Align::kCenter});
  }
  for (const Tick& mark : nice_ticks(limits_.y_low, limits_.y_high, most_ticks)) {
    const double y = std::round(at(0, mark.value).y - line / 2);
    canvas_.rectangle({f.left - line - tick, y, f.left - line, y + line}, kFrameGray);
    if (!y_labels) continue;
    canvas_.text({f.left - line - tick - layout::kTickGap * scale_, y + line / 2 + kCapHeight * size / 2}, mark.label,
                 {size, kGray, Align::kRight});
  }
}

}  // namespace rill::tools
