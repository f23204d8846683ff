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
#include "flow/solver/sde.hpp"
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
  /// The noise of stochastic samples, g(t); by default that of noise_level() (flow/model/stochastic.hpp).
  NoiseLevel noise_level = {};
  std::string no_score = {};     ///< why the velocity does not determine the score; empty if it does
  std::string no_guidance = {};  ///< why there is no classifier-free guidance; empty if there is

  /// n source points, [n, D].
  Tensor sample_source(Index n, Generator& rng) const;
};

/// Makes the source `factor` times as wide.
void scale_source(Dynamics& dynamics, double factor);

/// A network as a velocity field.
std::shared_ptr<const VelocityField> velocity_of(std::shared_ptr<const nn::TimeNetwork> network);

/// Throws std::invalid_argument, saying why, unless the velocity determines the score.
void require_score(const Dynamics& dynamics);

/// grad ln p_t(x) at points [N, D], times [N] and labels [N] or none, computed from the velocity
/// (flow/path/prediction.hpp). Throws as require_score().
Tensor score_at(const Dynamics& dynamics, const Tensor& x, const Tensor& t, const Indices& labels = {});

}  // namespace rill::flow
