#include "tools/plot/path_plot.hpp"

#include <algorithm>
#include <vector>

#include "autodiff/error.hpp"
#include "tools/plot/plot_grid.hpp"

namespace rill::tools {

Image path_plot(std::span<const std::span<const double>> states, bool equal_axes) {
  require(states.size() >= 2, "path plot: ", states.size(), " states, expected at least two");
  const std::size_t values = states.front().size(), n = values / 2;
  for (const std::span<const double> state : states) {
    require(state.size() == values && values % 2 == 0, "path plot: ", state.size(), " values, expected pairs, and ",
            values, " as at the start");
  }
  constexpr double kScale = 2;
  constexpr std::size_t kMostWays = 400;
  const std::span<const double> ends[] = {states.front(), states.back()};
  const Limits limits = robust_limits(ends);
  PlotGrid row(1, 1, equal_axes ? balanced(limits) : limits,
               {.width = 420, .scale = kScale, .titles = false, .equal_axes = equal_axes});
  const Axes axes = row.axes(0);
  const Dots dots = dots_for(n, kScale);
  axes.points(ends[0], kGray, dots);
  const Color color = kOrange.with_opacity(0.35);
  for (std::size_t i = 0; i < std::min(n, kMostWays); ++i) {
    std::vector<Point> way;
    for (const std::span<const double> state : states) way.push_back({state[2 * i], state[2 * i + 1]});
    axes.path(way, 0.6 * kScale, color);
  }
  axes.points(ends[1], kBlue, dots);
  row.finish(0, "");
  return row.image();
}

}  // namespace rill::tools
