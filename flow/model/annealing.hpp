// Annealed Langevin dynamics: sampling by scores alone, from much noise to little.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/model/dynamics.hpp"
#include "flow/path/velocity.hpp"
#include "flow/solver/ode.hpp"

namespace rill::flow {

/// One distribution of noisy data, x = alpha x_1 + sigma x_0, and the time by which the score knows it.
struct ScoreLevel {
  double t, alpha, sigma;
};

/// The scores of noisy data at decreasing levels of noise.
struct ScoreLadder {
  std::shared_ptr<const VelocityField> score;  ///< grad ln p_t(x) at (x, t, labels)
  std::vector<ScoreLevel> levels;              ///< at least one
  std::string no_guidance = {};                ///< why there is no classifier-free guidance; empty if there is
};

/// Langevin steps at each level, of length step_size sigma^2, from where those of the level before ended (Song and
/// Ermon, "Generative Modeling by Estimating Gradients of the Data Distribution", 2019, algorithm 1). Much noise joins
/// modes that lie far apart, so that points find the right shares; each level then refines what the last one left.
struct LangevinSteps {
  Index levels = 10;          ///< of a model that knows all levels: see ladder_of()
  double least_noise = 0.05;  ///< its last level, sigma / alpha
  Index steps = 0;            ///< at each level; 0 for a thousand in all
  double step_size = 0.1;     ///< epsilon, as a multiple of sigma^2
  std::uint64_t seed = 0;     ///< of the noise
};

/// The scores of dynamics that have them at every time: levels with equal ratios of sigma / alpha from the path's
/// largest, but at most 20, to the least. Throws std::invalid_argument, saying why, for dynamics without a score, a
/// number of levels other than 1 to kMostLevels, and a least noise that is not positive and below the largest.
ScoreLadder ladder_of(const Dynamics& dynamics, Index levels, double least_noise);

/// The most levels that make sense: a thousand already differ by less than a percent.
inline constexpr Index kMostLevels = 1000;

/// The steps at each of so many levels.
Index steps_at_level(const LangevinSteps& options, Index levels);
/// The number of evaluations of the score per point, with the last one of anneal().
Index evaluations_of(const LangevinSteps& options, Index levels);

/// Moves standard normal points x [N, D], scaled to the first level's deviation, along the ladder. At the end it
/// removes the noise that is left in expectation, x <- (x + sigma^2 score) / alpha (Jolicoeur-Martineau et al.,
/// "Adversarial Score Matching and Improved Sampling for Image Generation", 2021, section 3.1). Reports progress to the
/// observer at report_times(). Records no graph. Throws std::invalid_argument unless steps >= 0 and step_size > 0.
Solution anneal(const ScoreLadder& ladder, const Tensor& x, const Indices& labels, const LangevinSteps& options,
                Index first_row = 0, const Observer& observer = {});

/// The times that anneal() reports.
std::vector<double> report_times(const LangevinSteps& options);

}  // namespace rill::flow
