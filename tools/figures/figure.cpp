#include "tools/figures/figure.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/random.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/usage_error.hpp"
#include "tools/data_option.hpp"
#include "tools/plot/plot_grid.hpp"
#include "tools/sampling.hpp"

namespace rill::tools {

const std::vector<FigureKind>& figure_kinds() {
  static const std::vector<FigureKind> kinds = {
      {"convergence",
       "Noise gathers at a data point, and at several; the conditional vector field that carries it.",
       make_convergence,
       {{"convergence.gif"}}},
      {"path",
       "The density p_t between noise and data: of a Gaussian, and of 1, 10 and 1,000 data points.",
       make_path_figure,
       {{"path.gif"}}},
      {"marginal",
       "The exact marginal field of a data set, its samples, and how it is a mean of conditional fields.",
       make_marginal,
       {{"marginal.gif"}, {"marginal-weights.gif", {"--view", "weights"}}, {"marginal-mean.png", {"--view", "mean"}}}},
      {"continuity",
       "The continuity equation: the flux through the sides of a box against the change of the mass inside, and its "
       "residual over the plane.",
       make_continuity,
       {{"continuity.gif"}}},
      {"pairs",
       "A batch of noise and data paired independently, by optimal transport, by Sinkhorn, and within classes; the "
       "flows "
       "that follow.",
       make_pairs,
       {{"pairs.png"}, {"pairs-flows.gif", {"--view", "flows"}}}},
      {"modes",
       "Two distant modes of unequal weight by gradient ascent, Langevin dynamics, annealing, and a flow.",
       make_modes,
       {{"modes.gif"}}},
      {"families", "The same data by every family of models, on one clock.", make_families, {{"families.gif"}}},
      {"solvers",
       "One trajectory by Euler, Heun and dopri5, and the error of many against the evaluations.",
       make_solvers,
       {{"solvers.gif"}, {"solvers-error.png", {"--view", "error"}}}},
      {"boards", "Checkerboards of 5 x 5 and 8 x 8 cells forming from noise.", make_boards, {{"boards.gif"}}},
      {"run",
       "A trained run of points: film, samples, density, its field beside the exact one, trajectories, loss, "
       "likelihood.",
       make_run_figure,
       {}},
      {"images",
       "A trained run of images: from noise to image, class by class, and a walk between classes.",
       make_images,
       {}},
  };
  return kinds;
}

void FigureData::declare(Options& options) {
  options.add("data", data, "NAME|FILE",
              concat("a density in the plane (", joined(datasets::known_density_names()),
                     "), or a file of points, one per row (.npy, .csv, .tsv, .txt)"));
  options.add("data-param", parameters, "NAME=NUMBER", "parameters of the density, such as cells=8,low=-2");
}

std::unique_ptr<datasets::Data> FigureData::open() const {
  datasets::DataDescription description =
      is_file_name(data) ? datasets::DataDescription{.kind = "table", .source = data}
                         : by_option("data", [&] { return named_density(data, "data-param", parameters); });
  std::unique_ptr<datasets::Data> opened = datasets::open_data(description);
  if (opened->dimension() != 2) {
    throw UsageError(concat("--data: ", data, " has ", counted(opened->dimension(), "dimension"),
                            ", but this figure shows the plane; give two columns"));
  }
  return opened;
}

Tensor FigureData::points(Index count, std::uint64_t seed) const { return draw_data(*open(), count, seed); }

void draw_points(const Axes& axes, const Tensor& points, const Color& color, const Dots& dots) {
  const std::vector<double> values(points.data(), points.data() + points.size());
  axes.points(values, color, {dots.radius * axes.scale(), dots.opacity});
}

Limits limits_around(const Tensor& points, double margin) {
  constexpr double kNoise = 2.6;  // deviations
  Limits limits{-kNoise, kNoise, -kNoise, kNoise};
  for (Index i = 0; i < points.dim(0); ++i) {
    const double x = points.data()[2 * i], y = points.data()[2 * i + 1];
    limits = {std::min(limits.x_low, x - margin), std::max(limits.x_high, x + margin),
              std::min(limits.y_low, y - margin), std::max(limits.y_high, y + margin)};
  }
  return balanced(limits);
}

Tensor cell_centers(const Limits& limits, int cells) {
  Tensor centers = Tensor::empty({Index{cells} * cells, 2});
  for (int row = 0; row < cells; ++row) {
    for (int column = 0; column < cells; ++column) {
      Real* center = centers.data() + 2 * (Index{row} * cells + column);
      center[0] = static_cast<Real>(std::lerp(limits.x_low, limits.x_high, (column + 0.5) / cells));
      center[1] = static_cast<Real>(std::lerp(limits.y_low, limits.y_high, (row + 0.5) / cells));
    }
  }
  return centers;
}

double greatest_speed(const Tensor& field) {
  double greatest = 0;
  for (Index i = 0; i < field.dim(0); ++i) {
    greatest = std::max(greatest, std::hypot(double{field.data()[2 * i]}, double{field.data()[2 * i + 1]}));
  }
  return greatest;
}

void draw_field(const Axes& axes, const Tensor& field, const Limits& limits, int cells, double full,
                const Color& color) {
  const Tensor centers = cell_centers(limits, cells);
  const double cell = 0.95 * std::min(limits.width(), limits.height()) / cells;
  for (Index i = 0; i < field.dim(0); ++i) {
    const double x = centers.data()[2 * i], y = centers.data()[2 * i + 1];
    const double u = field.data()[2 * i], v = field.data()[2 * i + 1], speed = std::hypot(u, v);
    if (!(speed > 0)) continue;
    const double half = cell * std::min(1.0, speed / full) / speed / 2;
    axes.arrow({x - half * u, y - half * v}, {x + half * u, y + half * v}, 1.1, color);
  }
}

}  // namespace rill::tools
