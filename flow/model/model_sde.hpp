// The stochastic equation that a trained model stands for.
#pragma once

#include "autodiff/ops.hpp"
#include "flow/path/path.hpp"
#include "flow/solver/sde.hpp"
#include "nn/velocity_model.hpp"

namespace rill::flow {

/// The equation with the marginals of a model's flow and noise g (see sde_of_flow()), for labels held fixed. The score
/// is the model's own where it learned one, on a Schroedinger bridge; otherwise it follows from the velocity, which
/// holds for a path without noise from a Gaussian source that was drawn independently of the data. The model and the
/// path must outlive it. Throws std::invalid_argument where neither gives a score.
Sde sde_of_model(const nn::VelocityModel& model, const Indices& labels, const AffinePath& path, const NoiseLevel& g);

}  // namespace rill::flow
