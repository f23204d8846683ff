// How a model moves its source to data, where it does so along a flow.
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

/// What solvers, guidance, stochastic sampling, films and likelihoods need of a model. A value that owns what it refers
/// to. Only the velocity must be there; source and path tell what else can be asked for.
struct Dynamics {
  std::shared_ptr<const VelocityField> velocity;
  std::shared_ptr<const AffinePath> path = {};  ///< whose marginals the velocity carries; null where none is known
  SourceSampler source = {};                    ///< standard normal noise when it is empty
  LogDensity source_log_density = standard_normal_log_density;  ///< empty where it is not known
  /// (sigma^2 / 2) grad ln p_t(x) on a Schroedinger bridge of that sigma, where a network has learned it; null
  /// otherwise.
  std::shared_ptr<const VelocityField> score_drift = {};
  std::string no_score = {};     ///< why the velocity does not tell the score; empty where it does
  std::string no_guidance = {};  ///< why there is no classifier-free guidance; empty where there is

  /// n source points, [n, D].
  Tensor sample_source(Index n, Generator& rng) const;
};

/// A network as a velocity field.
std::shared_ptr<const VelocityField> velocity_of(std::shared_ptr<const nn::TimeNetwork> network);

/// grad ln p_t(x) at time t, for points [N, D] and labels [N] or none: what the velocity tells of it
/// (flow/path/prediction.hpp). Throws std::invalid_argument, saying why, where it tells nothing.
Tensor score_at(const Dynamics& dynamics, const Tensor& x, double t, const Indices& labels = {});

}  // namespace rill::flow
