// Sampling with noise on the way: the stochastic counterpart of flow/generate.hpp.
#pragma once

#include <cstdint>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/generate.hpp"
#include "flow/path.hpp"
#include "flow/sde.hpp"
#include "nn/velocity_model.hpp"

namespace rill::flow {

/// The equation with the marginals of a model's flow and noise g (see sde_of_flow()), for labels held fixed. The score
/// is the model's own where it learned one, on a Schroedinger bridge; otherwise it follows from the velocity, which
/// holds for a path without noise from a Gaussian source that was drawn independently of the data. The model and the
/// path must outlive it. Throws std::invalid_argument where neither gives a score.
Sde sde_of_model(const nn::VelocityModel& model, const Indices& labels, const AffinePath& path, const NoiseLevel& g);

struct GenerateSdeOptions {
  SdeMethod method = SdeMethod::kEulerMaruyama;
  Index steps = 100;             ///< equal steps from t = 0 to t = 1
  NoiseLevel g;                  ///< see sde_of_flow()
  std::uint64_t seed = 0;        ///< of the Brownian path, which does not depend on the steps
  bool keep_trajectory = false;  ///< also return the points at every time of the grid
};

/// Moves the source points x_0 [N, D] from t = 0 to t = 1. Points are taken in groups, spread over the threads; neither
/// groups nor threads change the result. Generated::evaluations counts those of the drift, per point.
///   labels: [N], or empty for no class. Throws std::invalid_argument as sde_of_model() and solve() do, and without g.
Generated generate_sde(const nn::VelocityModel& model, const AffinePath& path, const Tensor& x_0, const Indices& labels,
                       const GenerateSdeOptions& options);

}  // namespace rill::flow
