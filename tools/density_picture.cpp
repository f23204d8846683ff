#include "tools/density_picture.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "tools/plot/heat_maps.hpp"
#include "tools/plot/plot_grid.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {
namespace {

constexpr int kCells = 240;         // along an axis
constexpr double kDepth = 8;        // nats from the lightest to the darkest color
constexpr double kOutliers = 1e-3;  // the share of a map's values that may exceed the lightest color

// The centers of the cells, row by row from the bottom, [kCells^2, 2].
datasets::Table grid(const Limits& limits) {
  datasets::Table points{kCells * kCells, 2, {}, {}};
  for (int row = 0; row < kCells; ++row) {
    for (int column = 0; column < kCells; ++column) {
      points.values.push_back(std::lerp(limits.x_low, limits.x_high, (column + 0.5) / kCells));
      points.values.push_back(std::lerp(limits.y_low, limits.y_high, (row + 0.5) / kCells));
    }
  }
  return points;
}

double nearly_greatest(std::vector<Real> values) {
  std::erase_if(values, [](Real value) { return !std::isfinite(value); });
  require(!values.empty(), "density picture: no point has a density");
  const auto place =
      values.begin() + static_cast<std::ptrdiff_t>((1 - kOutliers) * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), place, values.end());
  return static_cast<double>(*place);
}

}  // namespace

Image density_picture(const datasets::Data& data, std::span<const TitledDensity> learned, std::uint64_t seed,
                      double width) {
  require(data.dimension() == 2, "density picture: the data have ", counted(data.dimension(), "dimension"),
          ", expected 2");
  const datasets::Table sample = datasets::to_data_units(data.description(), draw_data(data, 10000, seed));
  const std::span<const double> sets[] = {sample.values};
  const bool equal_axes = datasets::has_equal_axes(data.description());
  const Limits limits = equal_axes ? balanced(robust_limits(sets)) : robust_limits(sets);
  const Tensor points = datasets::to_model_units(data.description(), grid(limits));
  const std::optional<Tensor> truth =
      data.density() != nullptr ? data.density()->log_density(points) : std::optional<Tensor>();

  std::vector<HeatMap> maps;
  if (truth) maps.push_back({"data", truth->to_vector()});
  for (const auto& [title, log_density] : learned) maps.push_back({title, log_density(points).to_vector()});
  const double high = nearly_greatest(maps.front().values), low = high - kDepth;
  for (HeatMap& map : maps) {
    for (Real& value : map.values) value = std::max(value, static_cast<Real>(low));  // including minus infinity
  }
  return heat_maps(maps, limits,
                   {.rows = kCells,
                    .columns = kCells,
                    .low = low,
                    .high = high,
                    .unit = "ln p",
                    .equal_axes = equal_axes,
                    .width = width});
}

}  // namespace rill::tools
