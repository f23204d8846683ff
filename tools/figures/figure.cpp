#include "tools/figures/figure.hpp"

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

}  // namespace rill::tools
