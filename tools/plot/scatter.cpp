#include "tools/plot/scatter.hpp"

#include <algorithm>
#include <cstddef>

#include "autodiff/error.hpp"
#include "tools/plot/plot_grid.hpp"
#include "tools/plot/ticks.hpp"

namespace rill::tools {
Image scatter(std::span<const Panel> panels, const ScatterOptions& options) {
  require(!panels.empty(), "scatter: no panels");
  std::vector<std::span<const double>> sets;
  for (const Panel& panel : panels) {
    require(panel.points.size() % 2 == 0, "scatter: points in the plane are pairs, not ", panel.points.size(),
            " numbers");
    sets.push_back(panel.points);
  }
  const Limits wanted = options.limits ? *options.limits : robust_limits(sets);
  const Limits limits = options.equal_axes ? balanced(wanted) : wanted;
  const bool titles = std::any_of(panels.begin(), panels.end(), [](const Panel& p) { return !p.title.empty(); });
  PlotGrid row(1, static_cast<int>(panels.size()), limits,
               {.width = options.width,
                .scale = options.scale,
                .titles = titles,
                .equal_axes = options.equal_axes,
                .space_right = 0});
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const Panel& panel = panels[i];
    row.axes(static_cast<int>(i)).points(panel.points, panel.color, dots_for(panel.points.size() / 2, options.scale));
    row.finish(static_cast<int>(i), panel.title);
  }
  return row.image();
}

std::vector<Image> scatter_film(std::span<const std::span<const double>> states, std::span<const double> times,
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
