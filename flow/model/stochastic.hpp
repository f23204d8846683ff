// The SDE with the marginals of a model's flow.
#pragma once

#include "autodiff/ops.hpp"
#include "flow/model/dynamics.hpp"
#include "flow/path/path.hpp"
#include "flow/solver/sde.hpp"

namespace rill::flow {

/// The noise level g(t) of an SDE for a flow. A diffusion has one of its own (Dynamics::noise_level), that of the SDE
/// that made its data noise, and g^2 is factor times its square. On a Schroedinger bridge, g = factor sigma, which for
/// a factor of 1 is the bridge's own diffusion; on other paths, g^2 = factor sigma_t, which vanishes where the score is
/// steep (Ma et al., "SiT", 2024). Throws std::invalid_argument for dynamics without a path.
NoiseLevel noise_level(const Dynamics& dynamics, double factor);

/// The SDE with the marginals of these dynamics and noise level g (see sde_of_flow()), for fixed labels. The score is
/// the learned one if there is one; otherwise it follows from the velocity, which requires a path without noise and a
/// Gaussian source drawn independently of the data. Throws std::invalid_argument, saying why, if neither gives a score.
Sde sde_of(const Dynamics& dynamics, const Indices& labels, const NoiseLevel& g);

}  // namespace rill::flow
