#include "tools/plot/heat_maps.hpp"

#include <cmath>

#include "tools/plot/colormap.hpp"
#include "tools/plot/font.hpp"
#include "tools/plot/layout.hpp"
#include "tools/plot/plot_grid.hpp"
#include "tools/plot/ticks.hpp"

namespace rill::tools {
namespace {

constexpr double kScale = 2;
constexpr double kBarGap = 16, kBarWidth = 14, kBarLabels = 40;  // units

// A column of colors with numbers on its right.
void draw_bar(Canvas& canvas, const Rect& beside, const HeatMapOptions& options) {
  const double left = beside.right + kBarGap * kScale, right = left + kBarWidth * kScale;
  const double line = layout::kLine * kScale, size = layout::kTickText * kScale;
  for (double y = beside.top; y < beside.bottom; ++y) {
    canvas.rectangle({left, y, right, y + 1}, magma((beside.bottom - y - 0.5) / beside.height()));
  }
  for (const Tick& tick : nice_ticks(options.low, options.high, 6)) {
    const double share = (tick.value - options.low) / (options.high - options.low);
    const double y = std::round(beside.bottom - share * beside.height() - line / 2);
    canvas.rectangle({right, y, right + layout::kTick * kScale, y + line}, kFrameGray);
    canvas.text({right + (layout::kTick + layout::kTickGap) * kScale, y + line / 2 + kCapHeight * size / 2}, tick.label,
                {size, kGray, Align::kLeft});
  }
  canvas.text({left, beside.top - std::round(layout::kTitleGap * kScale)}, options.unit, {size, kGray, Align::kLeft});
}

}  // namespace

Image heat_maps(std::span<const HeatMap> maps, const Limits& limits, const HeatMapOptions& options) {
  PlotGrid row(1, static_cast<int>(maps.size()), limits,
               {.width = options.width,
                .scale = kScale,
                .equal_axes = options.equal_axes,
                .space_right = kBarGap + kBarWidth + kBarLabels});
  for (int i = 0; i < static_cast<int>(maps.size()); ++i) {
    const HeatMap& map = maps[static_cast<std::size_t>(i)];
    row.axes(i).heat_map(map.values, options.rows, options.columns, options.low, options.high, magma);
    row.finish(i, map.title);
  }
  draw_bar(row.canvas(), row.frame(static_cast<int>(maps.size()) - 1), options);
  return row.image();
}

}  // namespace rill::tools
