// The stochastic equation with the marginals of a model's flow.
#pragma once

#include "autodiff/ops.hpp"
#include "flow/model/dynamics.hpp"
#include "flow/path/path.hpp"
#include "flow/solver/sde.hpp"

namespace rill::flow {

/// How much noise g(t) an equation has beside a flow along this path: on a Schroedinger bridge g = factor sigma, which
/// for a factor of 1 is the bridge's own diffusion; elsewhere g^2 = factor sigma_t, which fades where the score is
/// steep (Ma et al., "SiT", 2024).
NoiseLevel noise_level(std::shared_ptr<const AffinePath> path, double factor);

/// The equation with the marginals of these dynamics and noise g (see sde_of_flow()), for labels held fixed. The score
/// is the learned one where there is one; otherwise it follows from the velocity, which holds for a path without noise
/// from a Gaussian source that was drawn independently of the data. Throws std::invalid_argument, saying why, where
/// neither gives a score.
Sde sde_of(const Dynamics& dynamics, const Indices& labels, const NoiseLevel& g);

}  // namespace rill::flow
