#include "tools/scatter.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>

#include "autodiff/error.hpp"
#include "tools/font.hpp"
#include "tools/layout.hpp"
#include "tools/ticks.hpp"

namespace rill::tools {
namespace {

// Widens the shorter side: a plot that is nearly square becomes square, and none is much longer than it is wide.
Limits balanced(Limits limits) {
  require(std::isfinite(limits.width()) && std::isfinite(limits.height()) && limits.width() > 0 && limits.height() > 0,
          "scatter: limits [", limits.x_low, ", ", limits.x_high, "] x [", limits.y_low, ", ", limits.y_high,
          "] are not finite and increasing");
  constexpr double kNearlySquare = 1.3, kLongest = 1.6;
  const double ratio = std::max(limits.width() / limits.height(), limits.height() / limits.width());
  const double wanted = ratio < kNearlySquare ? 1 : std::min(ratio, kLongest);
  const double more_width = std::max(0.0, limits.height() / wanted - limits.width()) / 2;
  const double more_height = std::max(0.0, limits.width() / wanted - limits.height()) / 2;
  return {limits.x_low - more_width, limits.x_high + more_width, limits.y_low - more_height,
          limits.y_high + more_height};
}

}  // namespace

Image scatter(std::span<const Panel> panels, const ScatterOptions& options) {
  require(!panels.empty(), "scatter: no panels");
  require(options.width > 0 && options.scale > 0, "scatter: width ", options.width, " and scale ", options.scale,
          " must be positive");
  std::vector<std::span<const Real>> sets;
  for (const Panel& panel : panels) {
    require(panel.points.size() % 2 == 0, "scatter: points in the plane are pairs, not ", panel.points.size(),
            " numbers");
    sets.push_back(panel.points);
  }
  const Limits limits = balanced(options.limits ? *options.limits : robust_limits(sets));

  // All lengths are whole pixels, so that frames are sharp.
  const double scale = options.scale;
  const auto pixels = [scale](double units) { return std::round(units * scale); };
  constexpr int kMostTicks = 7;
  double widest_label = 0;
  for (const Tick& tick : nice_ticks(limits.y_low, limits.y_high, kMostTicks)) {
    widest_label = std::max(widest_label, text_width(tick.label, layout::kTickText));
  }
  const bool titles = std::any_of(panels.begin(), panels.end(), [](const Panel& p) { return !p.title.empty(); });
  const double outside = layout::kLine + layout::kTick + layout::kTickGap;
  const double left = pixels(layout::kMargin + widest_label + outside);
  const double top = pixels(layout::kMargin + (titles ? kCapHeight * layout::kTitleText + layout::kTitleGap : 0));
  const double bottom = pixels(outside + kCapHeight * layout::kTickText + layout::kMargin);
  const double right = pixels(layout::kMargin + 4), gutter = pixels(layout::kGutter);
  const double width = pixels(options.width), height = std::round(width * limits.height() / limits.width());
  const auto count = static_cast<double>(panels.size());

  Canvas canvas(static_cast<int>(left + count * width + (count - 1) * gutter + right),
                static_cast<int>(top + height + bottom));
  double x = left;
  for (const Panel& panel : panels) {
    const Axes axes(canvas, {x, top, x + width, top + height}, limits, scale);
    axes.points(panel.points, panel.color, dots_for(panel.points.size() / 2, scale));
    axes.frame(kMostTicks, x == left);
    canvas.text({x + width / 2, top - pixels(layout::kTitleGap)}, panel.title,
                {layout::kTitleText * scale, kInk, Align::kCenter});
    x += width + gutter;
  }
  return canvas.image();
}

std::vector<Image> scatter_film(std::span<const std::span<const Real>> states, std::span<const double> times,
                                const Color& color, const ScatterOptions& options) {
  require(states.size() == times.size(), "scatter_film: ", states.size(), " states at ", times.size(), " times");
  ScatterOptions fixed = options;
  if (!fixed.limits) fixed.limits = robust_limits(states);
  std::vector<Image> frames;
  for (std::size_t i = 0; i < states.size(); ++i) {
    char label[32];
    std::snprintf(label, sizeof label, "t = %.2f", times[i]);
    const Panel panel{label, states[i], color};
    frames.push_back(scatter({&panel, 1}, fixed));
  }
  return frames;
}

}  // namespace rill::tools
