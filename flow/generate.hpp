// Sampling: noise in, data out.
#pragma once

#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/tableau.hpp"
#include "flow/velocity.hpp"
#include "nn/velocity_model.hpp"

namespace rill::flow {

/// A network with its labels held fixed, as a velocity field. The model must outlive it.
Velocity velocity_of(const nn::VelocityModel& model, const Indices& labels = {});

struct GenerateOptions {
  const Tableau* method = &kEuler;
  Index steps = 50;              ///< equal steps from t = 0 to t = 1
  bool keep_trajectory = false;  ///< also return the points at every time of the grid
};

struct Generated {
  Tensor x;                        ///< [N, D], at t = 1
  Index evaluations = 0;           ///< of the velocity, per point
  std::vector<Tensor> trajectory;  ///< steps + 1 tensors [N, D], from t = 0 to t = 1, when asked for
};

/// Moves the noise x_0 [N, D] along the model's velocity from t = 0 to t = 1. Points are taken in groups that stay in a
/// core's cache, spread over the threads; the result does not depend on their number. Records no graph.
///   labels: [N], or empty for no class. Throws std::invalid_argument as the model and solve() do.
Generated generate(const nn::VelocityModel& model, const Tensor& x_0, const Indices& labels,
                   const GenerateOptions& options);

}  // namespace rill::flow
