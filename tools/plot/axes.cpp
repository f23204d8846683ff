#include "tools/plot/axes.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "tools/plot/font.hpp"
#include "tools/plot/layout.hpp"
#include "tools/plot/ticks.hpp"

namespace rill::tools {
namespace {

constexpr double kOffsetRow = 1.5 * layout::kTickText;  // distance from the x labels to their offset

bool is_finite(double x, double y) { return std::isfinite(x) && std::isfinite(y); }

}  // namespace

Dots dots_for(std::size_t count, double scale) {
  constexpr double kSparse = 500;  // up to this many points are drawn at full size
  const double share = std::pow(std::min(1.0, kSparse / static_cast<double>(std::max<std::size_t>(count, 1))), 0.25);
  return {2.2 * scale * share, 0.8 * share};
}

AxisTicks ticks_for(const Limits& limits, double width, int most) {
  AxisTicks ticks{offset_ticks(limits.x_low, limits.x_high, most), offset_ticks(limits.y_low, limits.y_high, most)};
  const auto needed = [](const std::vector<Tick>& marks) {
    double sum = 0;
    for (const Tick& tick : marks) sum += text_width(tick.label, layout::kTickText) + layout::kTickText;
    return sum;
  };
  while (most > 1 && needed(ticks.x.ticks) > width) {
    OffsetTicks fewer = offset_ticks(limits.x_low, limits.x_high, --most);
    if (fewer.ticks.size() < 2) break;
    ticks.x = std::move(fewer);
  }
  return ticks;
}

Margins margins_for(const Limits& limits, const AxisTicks& ticks, double width, bool title) {
  const double tick = layout::kLine + layout::kTick + layout::kTickGap;
  double y_labels = text_width(ticks.y.offset, layout::kTickText);
  for (const Tick& mark : ticks.y.ticks) y_labels = std::max(y_labels, text_width(mark.label, layout::kTickText));
  // How far x labels reach beyond the frame.
  double before = 0, after = 0;
  for (const Tick& mark : ticks.x.ticks) {
    const double middle = limits.x_share(mark.value) * width;
    const double half = text_width(mark.label, layout::kTickText) / 2;
    before = std::max(before, half - middle);
    after = std::max(after, middle + half - width);
  }
  Margins margins;
  margins.left = layout::kMargin + std::max(y_labels + tick, before);
  const double above = title ? layout::kTitleText : ticks.y.offset.empty() ? 0 : layout::kTickText;
  margins.top = layout::kMargin + (above > 0 ? kCapHeight * above + layout::kTitleGap : 0);
  margins.right = layout::kMargin + std::max(after, layout::kTick);
  margins.bottom = layout::kMargin + kCapHeight * layout::kTickText + tick + (ticks.x.offset.empty() ? 0 : kOffsetRow);
  margins.gutter = std::max(layout::kGutter, before + after + layout::kTickText);
  return margins;
}

Axes::Axes(Canvas& canvas, const Rect& frame, const Limits& limits, double scale)
    : canvas_(canvas), frame_(frame), limits_(limits), scale_(scale) {}

Point Axes::at(double x, double y) const {
  return {frame_.left + limits_.x_share(x) * frame_.width(), frame_.bottom - limits_.y_share(y) * frame_.height()};
}

void Axes::points(std::span<const double> values, const Color& color, const Dots& dots) const {
  canvas_.clip(frame_);
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
    if (is_finite(values[i], values[i + 1])) {
      canvas_.disc(at(values[i], values[i + 1]), dots.radius, color.with_opacity(dots.opacity));
    }
  }
  canvas_.reset_clip();
}

void Axes::path(std::span<const Point> points, double width, const Color& color) const {
  canvas_.clip(frame_);
  std::vector<Point> unbroken;
  for (const Point& p : points) {
    if (std::isfinite(p.x) && std::isfinite(p.y)) {
      unbroken.push_back(at(p.x, p.y));
    } else {
      canvas_.path(unbroken, width, color);
      unbroken.clear();
    }
  }
  canvas_.path(unbroken, width, color);
  canvas_.reset_clip();
}

void Axes::arrow(const Point& from, const Point& to, double width, const Color& color) const {
  if (!is_finite(from.x, from.y) || !is_finite(to.x, to.y)) return;
  const Point a = at(from.x, from.y), b = at(to.x, to.y);
  const double dx = b.x - a.x, dy = b.y - a.y, length = std::hypot(dx, dy);
  if (length == 0) return;
  width *= scale_;
  const double head = std::min(4.5 * width, length / 3), half = 0.55 * head;
  const double ux = dx / length, uy = dy / length;
  const Point base = {b.x - head * ux, b.y - head * uy};
  const Point corners[] = {b, {base.x - half * uy, base.y + half * ux}, {base.x + half * uy, base.y - half * ux}};
  canvas_.clip(frame_);
  canvas_.line(a, base, width, color);
  canvas_.polygon(corners, color);
  canvas_.reset_clip();
}

// Marching squares: in a cell between four centers, a line enters and leaves where the value crosses the level. A
// saddle has two lines, each around a corner; the mean of the four tells which corners.
void Axes::contour(std::span<const Real> values, int rows, int columns, double level, double width,
                   const Color& color) const {
  const auto value = [&](int row, int column) {
    return static_cast<double>(
        values[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column)]);
  };
  const auto place = [&](double row, double column) {
    return Point{frame_.left + (column + 0.5) / columns * frame_.width(),
                 frame_.bottom - (row + 0.5) / rows * frame_.height()};
  };
  width *= scale_;
  canvas_.clip(frame_);
  for (int row = 0; row + 1 < rows; ++row) {
    for (int column = 0; column + 1 < columns; ++column) {
      const int around[5][2] = {{0, 0}, {0, 1}, {1, 1}, {1, 0}, {0, 0}};
      std::vector<Point> crossings;
      for (int side = 0; side < 4; ++side) {
        const double a = value(row + around[side][0], column + around[side][1]);
        const double b = value(row + around[side + 1][0], column + around[side + 1][1]);
        if ((a < level) == (b < level)) continue;
        const double share = (level - a) / (b - a);
        crossings.push_back(place(row + std::lerp(around[side][0], around[side + 1][0], share),
                                  column + std::lerp(around[side][1], around[side + 1][1], share)));
      }
      const double first = value(row, column);
      const double mean = (first + value(row, column + 1) + value(row + 1, column + 1) + value(row + 1, column)) / 4;
      if (crossings.size() == 4 && (mean < level) != (first < level)) {
        std::rotate(crossings.begin(), crossings.begin() + 1, crossings.end());
      }
      for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
        canvas_.line(crossings[i], crossings[i + 1], width, color);
      }
    }
  }
  canvas_.reset_clip();
}

void Axes::note(const std::string& text, int line, const Color& color) const {
  const double size = layout::kTickText * scale_, gap = 0.6 * size;
  if (text.empty()) return;
  const Point start = {frame_.left + gap, frame_.top + gap + kCapHeight * size + 1.5 * size * line};
  canvas_.rectangle({frame_.left, start.y - size, start.x + text_width(text, size) + gap, start.y + 0.5 * size},
                    kWhite.with_opacity(0.85));
  canvas_.text(start, text, {size, color, Align::kLeft});
}

void Axes::heat_map(std::span<const Real> values, int rows, int columns, double low, double high,
                    Color (*colors)(double)) const {
  require(
      rows > 0 && columns > 0 && values.size() == static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns),
      "heat map: ", values.size(), " values are not ", rows, " x ", columns);
  require(low < high, "heat map: values from ", low, " to ", high, ": expected an increasing range");
  // The two cells whose centers enclose a position in [0, 1] of the frame, and the weight of the second.
  struct Between {
    int first, second;
    double share;
  };
  const auto between = [](double place, int cells) {
    const double position = std::clamp(place * cells - 0.5, 0.0, cells - 1.0);
    const int first = static_cast<int>(position);
    return Between{first, std::min(first + 1, cells - 1), position - first};
  };
  const auto value = [&](int row, int column) -> double {
    return values[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column)];
  };
  for (double y = frame_.top; y < frame_.bottom; ++y) {
    const Between row = between((frame_.bottom - y - 0.5) / frame_.height(), rows);
    for (double x = frame_.left; x < frame_.right; ++x) {
      const Between column = between((x + 0.5 - frame_.left) / frame_.width(), columns);
      const auto across = [&](int r) {
        return std::lerp(value(r, column.first), value(r, column.second), column.share);
      };
      const double here = std::lerp(across(row.first), across(row.second), row.share);
      canvas_.rectangle({x, y, x + 1, y + 1}, colors((here - low) / (high - low)));
    }
  }
}

void Axes::frame(const AxisTicks& ticks, bool x_labels, bool y_labels) const {
  const double line = layout::kLine * scale_, length = layout::kTick * scale_, gap = layout::kTickGap * scale_;
  const double size = layout::kTickText * scale_;
  const Rect& f = frame_;
  canvas_.rectangle({f.left - line, f.top - line, f.right + line, f.top}, kFrameGray);
  canvas_.rectangle({f.left - line, f.bottom, f.right + line, f.bottom + line}, kFrameGray);
  canvas_.rectangle({f.left - line, f.top, f.left, f.bottom}, kFrameGray);
  canvas_.rectangle({f.right, f.top, f.right + line, f.bottom}, kFrameGray);

  // Ticks lie on whole pixels, so they are as sharp as the frame.
  for (const Tick& tick : ticks.x.ticks) {
    const double x = std::round(at(tick.value, 0).x - line / 2);
    canvas_.rectangle({x, f.bottom + line, x + line, f.bottom + line + length}, kFrameGray);
    if (!x_labels) continue;
    canvas_.text({x + line / 2, f.bottom + line + length + gap + kCapHeight * size}, tick.label,
                 {size, kGray, Align::kCenter});
  }
  for (const Tick& tick : ticks.y.ticks) {
    const double y = std::round(at(0, tick.value).y - line / 2);
    canvas_.rectangle({f.left - line - length, y, f.left - line, y + line}, kFrameGray);
    if (!y_labels) continue;
    canvas_.text({f.left - line - length - gap, y + line / 2 + kCapHeight * size / 2}, tick.label,
                 {size, kGray, Align::kRight});
  }
  if (x_labels) {
    canvas_.text({f.right, f.bottom + line + length + gap + kCapHeight * size + kOffsetRow * scale_}, ticks.x.offset,
                 {size, kGray, Align::kRight});
  }
  if (y_labels) {
    canvas_.text({f.left - line - length - gap, f.top - std::round(layout::kTitleGap * scale_)}, ticks.y.offset,
                 {size, kGray, Align::kRight});
  }
}

void Axes::title(const std::string& text) const {
  const double size = layout::kTitleText * scale_;
  const double fitting = std::min(1.0, frame_.width() / std::max(1.0, text_width(text, size)));
  canvas_.text({(frame_.left + frame_.right) / 2, frame_.top - std::round(layout::kTitleGap * scale_)}, text,
               {fitting * size, kInk, Align::kCenter});
}

}  // namespace rill::tools
