#include "tools/path_plot.hpp"

#include <algorithm>
#include <vector>

#include "autodiff/error.hpp"
#include "tools/plot_row.hpp"

namespace rill::tools {

Image path_plot(std::span<const Tensor> states) {
  require(states.size() >= 2, "path plot: ", states.size(), " states, expected at least two");
  const Index n = states.front().dim(0);
  for (const Tensor& state : states) {
    require(state.shape() == Shape{n, 2}, "path plot: expected points [", n, ", 2], got ", state.shape());
  }
  constexpr double kScale = 2;
  constexpr Index kMostWays = 400;
  const std::span<const Real> ends[] = {states.front().values(), states.back().values()};
  PlotRow row(1, balanced(robust_limits(ends)), {.width = 420, .scale = kScale, .titles = false});
  const Axes axes = row.axes(0);
  const Dots dots = dots_for(static_cast<std::size_t>(n), kScale);
  axes.points(ends[0], kGray, dots);
  const Color color = kOrange.with_opacity(0.35);
  for (Index i = 0; i < std::min(n, kMostWays); ++i) {
    std::vector<Point> way;
    for (const Tensor& state : states) {
      way.push_back({static_cast<double>(state.data()[2 * i]), static_cast<double>(state.data()[2 * i + 1])});
    }
    axes.path(way, 0.6 * kScale, color);
  }
  axes.points(ends[1], kBlue, dots);
  row.finish(0, "");
  return row.image();
}

}  // namespace rill::tools
