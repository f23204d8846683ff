// Score matching: learning grad ln p from samples of p alone.
#pragma once

#include <vector>

#include "autodiff/tensor.hpp"
#include "flow/path/velocity.hpp"

namespace rill::flow {

/// mean_n weight_n (div s(x_n, t_n) + |s(x_n, t_n)|^2 / 2); a scalar. By parts, E|s - grad ln p|^2 / 2 is this plus a
/// constant, which is E|grad ln p|^2 / 2: the unknown score has disappeared (Hyvarinen, "Estimation of Non-Normalized
/// Statistical Models by Score Matching", 2005, theorem 1). At its minimum it is minus that constant.
///   x: [N, D], t, weight: [N]
/// The divergence is exact, for one derivative per dimension, or estimated by probes [N, D], which makes it sliced
/// score matching with reduced variance (Song et al., "Sliced Score Matching", 2019, equation 8): see
/// velocity_and_divergence().
Tensor implicit_score_matching_loss(const Velocity& score, const Tensor& x, const Tensor& t, const Tensor& weight,
                                    const std::vector<Tensor>& probes = {});

/// mean_n mean_d (sigma_n s(x_n, t_n) + z_n)^2 for x = x_1 + sigma z, z standard normal; a scalar. Given its data, the
/// score of a noisy point is -z / sigma, and the regression's minimizer is the mean of these, the score of the noisy
/// data (Vincent, "A Connection between Score Matching and Denoising Autoencoders", 2011). The factor sigma gives every
/// level the same size (Song and Ermon 2019, section 4.2).
Tensor denoising_score_matching_loss(const Velocity& score, const Tensor& x, const Tensor& t, const Tensor& sigma,
                                     const Tensor& z);

}  // namespace rill::flow
