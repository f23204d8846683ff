// The flow of a model from source to data, for models that have one.
#pragma once

#include <memory>
#include <string>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/metrics/likelihood.hpp"
#include "flow/path/example.hpp"
#include "flow/path/path.hpp"
#include "flow/path/velocity.hpp"
#include "nn/time_network.hpp"

namespace rill::flow {

/// What solvers, guidance, stochastic sampling, animations and likelihoods need from a model. A value that owns what it
/// refers to. Only the velocity is required; the other members determine what else is possible.
struct Dynamics {
  std::shared_ptr<const VelocityField> velocity;
  std::shared_ptr<const AffinePath> path = {};                  ///< has the velocity's marginals; null if unknown
  SourceSampler source = {};                                    ///< standard normal noise if empty
  LogDensity source_log_density = standard_normal_log_density;  ///< empty if unknown
  /// (sigma^2 / 2) grad ln p_t(x) on a Schroedinger bridge of that sigma, if a network has learned it; null
  /// otherwise.
  std::shared_ptr<const VelocityField> score_drift = {};
  std::string no_score = {};     ///< why the velocity does not determine the score; empty if it does
  std::string no_guidance = {};  ///< why there is no classifier-free guidance; empty if there is

  /// n source points, [n, D].
  Tensor sample_source(Index n, Generator& rng) const;
};

/// A network as a velocity field.
std::shared_ptr<const VelocityField> velocity_of(std::shared_ptr<const nn::TimeNetwork> network);

/// grad ln p_t(x) at time t, for points [N, D] and labels [N] or none, computed from the velocity
/// (flow/path/prediction.hpp). Throws std::invalid_argument, saying why, if that does not determine it.
Tensor score_at(const Dynamics& dynamics, const Tensor& x, double t, const Indices& labels = {});

}  // namespace rill::flow
