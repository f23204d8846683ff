// Losses: regressions whose minimizers are the marginal velocity and score.
#pragma once

#include "autodiff/tensor.hpp"
#include "flow/path/path.hpp"
#include "flow/path/velocity.hpp"

namespace rill::flow {

/// mean (u(x_t, t) - dx_t)^2 over samples and coordinates; a scalar. Its gradient is that of the regression on the
/// marginal velocity, which it exceeds by a constant
/// (Lipman et al., "Flow Matching for Generative Modeling", 2023, theorem 2).
Tensor conditional_flow_matching_loss(const Velocity& velocity, const PathSample& sample);

/// mean (lambda_t s(x_t, t) + z)^2,   lambda_t = 2 sqrt(t (1 - t)) / sigma; a scalar, for points of a path with the
/// noise of a bridge. Its minimizer is s = (sigma^2 / 2) grad log p_t, which a diffusion of strength sigma adds to the
/// velocity: given its ends, the score of a point on the bridge is -z / (sigma sqrt(t (1 - t))). The weight lambda_t
/// keeps the target from growing without bound at the ends (Tong et al., "Simulation-Free Schroedinger Bridges via
/// Score and Flow Matching", 2024, appendix F.1.1, equations 18 and 20).
/// Throws std::invalid_argument for a sample without noise.
Tensor bridge_score_loss(const Velocity& score_drift, const PathSample& sample, double sigma);

}  // namespace rill::flow
