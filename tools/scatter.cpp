#include "tools/scatter.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "autodiff/error.hpp"
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

  constexpr int kMostTicks = 7;
  const AxisTicks ticks = ticks_for(limits, options.width, kMostTicks);
  const bool titles = std::any_of(panels.begin(), panels.end(), [](const Panel& p) { return !p.title.empty(); });
  const Margins margins = margins_for(limits, ticks, options.width, titles);
  // All lengths are whole pixels, so that frames are sharp.
  const auto pixels = [&options](double units) { return std::round(units * options.scale); };
  const double width = pixels(options.width), height = std::round(width * limits.height() / limits.width());
  const double top = pixels(margins.top), gutter = pixels(margins.gutter);
  double x = pixels(margins.left);
  const auto count = static_cast<double>(panels.size());

  Canvas canvas(static_cast<int>(x + count * width + (count - 1) * gutter + pixels(margins.right)),
                static_cast<int>(top + height + pixels(margins.bottom)));
  for (const Panel& panel : panels) {
    const Axes axes(canvas, {x, top, x + width, top + height}, limits, options.scale);
    axes.points(panel.points, panel.color, dots_for(panel.points.size() / 2, options.scale));
    axes.frame(ticks, &panel == &panels.front());
    axes.title(panel.title);
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
    const Panel panel{"t = " + format_fixed(times[i], 2), states[i], color};
    frames.push_back(scatter({&panel, 1}, fixed));
  }
  return frames;
}

}  // namespace rill::tools
