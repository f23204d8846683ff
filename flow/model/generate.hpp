// Sampling: source points in, data out.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/path/path.hpp"
#include "flow/path/velocity.hpp"
#include "flow/solver/adaptive.hpp"
#include "flow/solver/sde.hpp"
#include "flow/solver/tableau.hpp"
#include "nn/velocity_model.hpp"

namespace rill::flow {

/// A network with its labels held fixed, as a velocity field. The model must outlive it.
Velocity velocity_of(const nn::VelocityModel& model, const Indices& labels = {});
Velocity velocity_of(const nn::VelocityModel&& model, const Indices& labels = {}) = delete;

/// Equal steps from t = 0 to t = 1.
struct FixedSteps {
  const Tableau* method = &kEuler;
  Index steps = 50;
};

/// Equal steps of a stochastic equation with the flow's marginals (flow/model/model_sde.hpp).
struct StochasticSteps {
  SdeMethod method = SdeMethod::kEulerMaruyama;
  Index steps = 50;
  std::shared_ptr<const AffinePath> path;  ///< that the model was trained on
  NoiseLevel g;
  std::uint64_t seed = 0;  ///< of the Brownian path, which does not depend on the steps
};

struct GenerateOptions {
  std::variant<FixedSteps, AdaptiveOptions, StochasticSteps> solver = FixedSteps{};
  bool keep_trajectory = false;  ///< also return the points on their way
};

struct Generated {
  Tensor x;                        ///< [N, D], at t = 1
  double evaluations = 0;          ///< of the velocity, for a point on average
  std::vector<double> times;       ///< of the trajectory, from 0 to 1: those of the steps, or 51 equally far apart
  std::vector<Tensor> trajectory;  ///< [N, D] at each of them, when asked for
};

/// Moves the points x_0 [N, D] along the model's velocity from t = 0 to t = 1. Points are taken in groups that stay in
/// a core's cache, spread over the threads; the result does not depend on their number. (Adaptive steps that serve a
/// whole batch serve a group.) Records no graph.
///   labels: [N], or empty for no class. Throws std::invalid_argument as the model and the solvers do, SolveError when
/// adaptive steps fail.
Generated generate(const nn::VelocityModel& model, const Tensor& x_0, const Indices& labels,
                   const GenerateOptions& options = {});

}  // namespace rill::flow
