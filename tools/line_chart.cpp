#include "tools/line_chart.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "tools/axes.hpp"
#include "tools/font.hpp"
#include "tools/layout.hpp"
#include "tools/limits.hpp"
#include "tools/ticks.hpp"

namespace rill::tools {
namespace {

// The frame is linear; a logarithmic axis shows log10(y), which is not finite unless y is positive.
std::vector<Series> on_axes(std::span<const Series> series, bool log_y) {
  std::vector<Series> result(series.begin(), series.end());
  for (Series& line : result) {
    for (Point& p : line.points) {
      if (log_y) p.y = p.y > 0 ? std::log10(p.y) : std::numeric_limits<double>::quiet_NaN();
    }
  }
  return result;
}

Limits limits_of(std::span<const Series> series) {
  std::vector<double> values;
  double first = std::numeric_limits<double>::infinity(), last = -first;
  for (const Series& line : series) {
    for (const Point& p : line.points) {
      if (!std::isfinite(p.x) || !std::isfinite(p.y)) continue;
      first = std::min(first, p.x);
      last = std::max(last, p.x);
      values.push_back(p.y);
    }
  }
  if (!(first < last)) {  // one point, or none
    first = std::isfinite(first) ? first - 1 : 0;
    last = first + 2;
  }
  constexpr double kNearZero = 0.05;
  if (first > 0 && first < kNearZero * last) first = 0;  // steps that begin at 1 or 100
  const Range range = robust_range(std::move(values));
  return {first, last, range.low, range.high};
}

// Names in a column, each beside a piece of its line, on a ground that keeps lines behind it from disturbing.
void draw_names(Canvas& canvas, std::span<const Series> series, const Rect& frame, double scale) {
  const double size = layout::kTickText * scale, row = 1.5 * size, sample = 1.6 * size, gap = 0.6 * size;
  double widest = 0, rows = 0;
  for (const Series& line : series) {
    if (line.name.empty()) continue;
    widest = std::max(widest, text_width(line.name, size));
    ++rows;
  }
  if (rows == 0) return;
  const double right = frame.right - 1.2 * size, left = right - widest - gap - sample;
  double y = frame.top + 1.2 * size;
  canvas.rectangle({left - gap, y - gap, right + gap, y + rows * row}, kWhite.with_opacity(0.85));
  for (const Series& line : series) {
    if (line.name.empty()) continue;
    const double middle = y + kCapHeight * size / 2;
    canvas.line({left, middle}, {left + sample, middle}, 2 * scale, line.color);
    canvas.text({left + sample + gap, y + kCapHeight * size}, line.name, {size, kInk});
    y += row;
  }
}

}  // namespace

Image line_chart(std::span<const Series> series, const LineChartOptions& options) {
  require(!series.empty(), "line chart: no series");
  require(options.width > 0 && options.height > 0 && options.scale > 0, "line chart: width ", options.width,
          ", height ", options.height, " and scale ", options.scale, " must be positive");
  const std::vector<Series> lines = on_axes(series, options.log_y);
  const Limits limits = limits_of(lines);

  constexpr int kMostTicks = 6;
  AxisTicks ticks = ticks_for(limits, options.width, kMostTicks);
  if (options.log_y) {
    ticks.y = log_ticks(std::pow(10, limits.y_low), std::pow(10, limits.y_high), kMostTicks);
    for (Tick& tick : ticks.y) tick.value = std::log10(tick.value);
  }
  const Margins margins = margins_for(limits, ticks, options.width, !options.title.empty());
  const auto pixels = [&options](double units) { return std::round(units * options.scale); };
  const double label_height = options.x_label.empty() ? 0 : 1.7 * layout::kTickText;
  const double left = pixels(margins.left), top = pixels(margins.top);
  const Rect frame = {left, top, left + pixels(options.width), top + pixels(options.height)};
  const double bottom = frame.bottom + pixels(margins.bottom + label_height);

  Canvas canvas(static_cast<int>(frame.right + pixels(margins.right)), static_cast<int>(bottom));
  const double hairline = options.scale;
  for (const Tick& tick : ticks.y) {
    const double y =
        std::round(frame.bottom - (tick.value - limits.y_low) / limits.height() * frame.height() - hairline / 2);
    canvas.rectangle({frame.left, y, frame.right, y + hairline}, kGridGray);
  }
  const Axes axes(canvas, frame, limits, options.scale);
  for (const Series& line : lines) axes.path(line.points, 1.5 * options.scale, line.color);
  axes.frame(ticks, true);
  axes.title(options.title);
  draw_names(canvas, lines, frame, options.scale);
  canvas.text({(frame.left + frame.right) / 2, bottom - pixels(layout::kMargin)}, options.x_label,
              {layout::kTickText * options.scale, kGray, Align::kCenter});
  return canvas.image();
}

}  // namespace rill::tools
