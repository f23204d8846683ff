// Sampling: moves source points along the flow to data.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/model/annealing.hpp"
#include "flow/model/dynamics.hpp"
#include "flow/solver/ancestral.hpp"
#include "flow/solver/sde.hpp"
#include "flow/solver/solver.hpp"

namespace rill::flow {

/// Equal steps of the SDE with the flow's marginals and noise_level() (flow/model/stochastic.hpp).
struct StochasticSteps {
  SdeMethod method = SdeMethod::kEulerMaruyama;
  Index steps = 50;
  double noise = 1;        ///< the factor of noise_level()
  std::uint64_t seed = 0;  ///< for the Brownian path, which does not depend on the steps
};

/// Ancestral and Langevin steps need the score: see require_score() (flow/model/dynamics.hpp).
struct GenerateOptions {
  std::variant<FixedSteps, AdaptiveOptions, StochasticSteps, AncestralSteps, LangevinSteps> solver = FixedSteps{};
  bool keep_trajectory = false;  ///< also return the points in between
};

struct Generated {
  Tensor x;                        ///< [N, D], at t = 1
  double evaluations = 0;          ///< of the velocity, per point on average
  std::vector<double> times;       ///< of the trajectory, from 0 to 1: those of the steps, or 51 equally spaced ones
  std::vector<Tensor> trajectory;  ///< [N, D] at each of them, if requested
};

/// The same by the scores of a ladder, from standard normal points x [N, D].
Generated generate(const ScoreLadder& ladder, const Tensor& x, const Indices& labels, const LangevinSteps& options,
                   bool keep_trajectory = false);

/// Moves the points x_0 [N, D] from t = 0 to t = 1. Points are processed in groups that fit into a core's cache, on
/// several threads; the result does not depend on their number. (Adaptive steps for a whole batch are chosen per
/// group.) Records no graph.
///   labels: [N], or empty for no class. Throws std::invalid_argument as the velocity and the solvers do, and if
/// steps that need a score have none; SolveError if adaptive steps fail.
Generated generate(const Dynamics& dynamics, const Tensor& x_0, const Indices& labels = {},
                   const GenerateOptions& options = {});

}  // namespace rill::flow
