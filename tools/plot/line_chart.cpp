#include "tools/plot/line_chart.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "tools/plot/axes.hpp"
#include "tools/plot/font.hpp"
#include "tools/plot/layout.hpp"
#include "tools/plot/limits.hpp"
#include "tools/plot/ticks.hpp"

namespace rill::tools {
namespace {

// The frame is linear; a logarithmic axis shows the logarithm, which is not finite unless the number is positive.
std::vector<Series> on_axes(std::span<const Series> series, const LineChartOptions& options) {
  const auto logarithm = [](double value, double (*log)(double)) {
    return value > 0 ? log(value) : std::numeric_limits<double>::quiet_NaN();
  };
  std::vector<Series> result(series.begin(), series.end());
  for (Series& line : result) {
    for (Point& p : line.points) {
      if (options.log2_x) p.x = logarithm(p.x, std::log2);
      if (options.log_y) p.y = logarithm(p.y, std::log10);
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
  if (first > 0 && first < kNearZero * last) first = 0;  // for steps that begin at 1 or 100
  const Range range = robust_range(std::move(values));
  return {first, last, range.low, range.high};
}

// Names in a column, each beside a piece of its line.
class Names {
 public:
  Names(std::span<const Series> series, double scale) : scale_(scale), size_(layout::kTickText * scale) {
    for (const Series& line : series) {
      if (line.name.empty()) continue;
      named_.push_back(&line);
      widest_ = std::max(widest_, text_width(line.name, size_));
    }
  }

  /// 0 without names.
  double width() const { return named_.empty() ? 0 : kSample * size_ + gap() + widest_; }

  /// Draws them with the upper left corner there, on a background that hides lines behind them.
  void draw(Canvas& canvas, double left, double top) const {
    if (named_.empty()) return;
    const double row = 1.5 * size_, height = row * static_cast<double>(named_.size());
    canvas.rectangle({left - gap(), top - gap(), left + width() + gap(), top + height}, kWhite.with_opacity(0.85));
    for (const Series* line : named_) {
      const double baseline = top + kCapHeight * size_, middle = (top + baseline) / 2;
      canvas.line({left, middle}, {left + kSample * size_, middle}, 2 * scale_, line->color);
      canvas.text({left + kSample * size_ + gap(), baseline}, line->name, {size_, kInk});
      top += row;
    }
  }

 private:
  static constexpr double kSample = 1.6;
  double gap() const { return 0.6 * size_; }

  double scale_, size_;
  std::vector<const Series*> named_;
  double widest_ = 0;
};

}  // namespace

Image line_chart(std::span<const Series> series, const LineChartOptions& options) {
  require(!series.empty(), "line chart: no series");
  require(options.width > 0 && options.height > 0 && options.scale > 0, "line chart: width ", options.width,
          ", height ", options.height, " and scale ", options.scale, " must be positive");
  const std::vector<Series> lines = on_axes(series, options);
  const Limits limits = limits_of(lines);

  constexpr int kMostTicks = 6;
  AxisTicks ticks = ticks_for(limits, options.width, kMostTicks);
  if (options.log_y) {
    ticks.y = {log_ticks(std::pow(10, limits.y_low), std::pow(10, limits.y_high), kMostTicks), ""};
    for (Tick& tick : ticks.y.ticks) tick.value = std::log10(tick.value);
  }
  if (options.log2_x) {
    ticks.x = {powers_of_two(std::exp2(limits.x_low), std::exp2(limits.x_high), kMostTicks), ""};
    for (Tick& tick : ticks.x.ticks) tick.value = std::log2(tick.value);
  }
  const Margins margins = margins_for(limits, ticks, options.width, !options.title.empty());
  const auto pixels = [&options](double units) { return std::round(units * options.scale); };
  const double label_height = options.x_label.empty() ? 0 : 1.7 * layout::kTickText;
  const double left = pixels(margins.left), top = pixels(margins.top);
  const Rect frame = {left, top, left + pixels(options.width), top + pixels(options.height)};
  const double bottom = frame.bottom + pixels(margins.bottom + label_height);

  const Names names(lines, options.scale);
  const double inset = 1.2 * layout::kTickText * options.scale;
  const double beside = options.names_beside ? std::round(inset + names.width()) : 0;
  Canvas canvas(static_cast<int>(frame.right + beside + pixels(margins.right)), static_cast<int>(bottom));
  const double hairline = options.scale;
  for (const Tick& tick : ticks.y.ticks) {
    const double y = std::round(frame.bottom - limits.y_share(tick.value) * frame.height() - hairline / 2);
    canvas.rectangle({frame.left, y, frame.right, y + hairline}, kGridGray);
  }
  const Axes axes(canvas, frame, limits, options.scale);
  for (const Series& line : lines) axes.path(line.points, 1.5 * options.scale, line.color);
  axes.frame(ticks, true, true);
  axes.title(options.title);
  names.draw(canvas, options.names_beside ? frame.right + inset : frame.right - inset - names.width(),
             frame.top + inset);
  canvas.text({(frame.left + frame.right) / 2, bottom - pixels(layout::kMargin)}, options.x_label,
              {layout::kTickText * options.scale, kGray, Align::kCenter});
  return canvas.image();
}

}  // namespace rill::tools
