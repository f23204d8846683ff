// The discrete way back of diffusion: from one noise level to the next, by way of a guess at the data.
#pragma once

#include <cstdint>

#include "autodiff/tensor.hpp"
#include "flow/path/scheduler.hpp"
#include "flow/path/velocity.hpp"
#include "flow/solver/ode.hpp"

namespace rill::flow {

/// Equal steps in t. Each replaces the data and the noise of x_t by their predictions and mixes them anew for the later
/// time s, with a share of fresh noise z:
///   x_s = alpha_s x_1 + sqrt(sigma_s^2 - eta^2 tau^2) x_0 + eta tau z
///   tau^2 = (sigma_s / sigma_t)^2 (sigma_t^2 - (alpha_t / alpha_s)^2 sigma_s^2)
/// tau^2 is the variance of x_s given x_t and x_1. With eta = 1 these are the ancestral steps of DDPM (Ho et al.,
/// "Denoising Diffusion Probabilistic Models", 2020, algorithm 2; for any schedule: Kingma et al., "Variational
/// Diffusion Models", 2021, appendix A.4), with eta = 0 the deterministic ones of DDIM (Song et al., "Denoising
/// Diffusion Implicit Models", 2021, equation 12). The last step ends at the predicted data, without noise.
struct AncestralSteps {
  Index steps = 50;
  double eta = 1;
  /// Langevin steps after each step, which correct its distribution by the score: the predictor-corrector method (Song
  /// et al., "Score-Based Generative Modeling through Stochastic Differential Equations", 2021, algorithm 1).
  Index corrections = 0;
  /// The length of a correction, as a multiple of the noise: epsilon = 2 (ratio sigma)^2 (ibid., algorithms 4 and 5,
  /// with the score's norm replaced by its expectation, so that a point does not depend on its batch).
  double correction_ratio = 0.16;
  std::uint64_t seed = 0;  ///< of z
};

/// Moves the points x [N, ...] from t = 0 to t = 1.
///   data: the prediction of x_1 at (x_t, t). Its noise follows, (x_t - alpha x_1) / sigma.
///   first_row: of the batch that the points are part of: they get the same z, however it is split
/// Evaluates `data` steps (1 + corrections) - corrections times: nothing is corrected at the end, where no noise is
/// left if sigma is 0. Records no graph. Throws std::invalid_argument for fewer than one step, and unless
/// 0 <= eta <= 1, corrections >= 0 and correction_ratio > 0.
Solution solve(const Velocity& data, const Scheduler& scheduler, const Tensor& x, const AncestralSteps& options,
               Index first_row = 0, const Observer& observer = {});

}  // namespace rill::flow
