// A velocity and a score, each by a network of its own.
#pragma once

#include <memory>

#include "autodiff/random.hpp"
#include "nn/model_description.hpp"
#include "nn/velocity_model.hpp"

namespace rill::nn {

/// Two networks of the same description, as [SF]2M trains them on a Schroedinger bridge (Tong et al., "Simulation-Free
/// Schroedinger Bridges via Score and Flow Matching", 2024, algorithm 1). Parameters: "velocity.<...>", "score.<...>".
class VelocityScoreModel : public VelocityModel {
 public:
  /// Throws std::invalid_argument as make_model does.
  VelocityScoreModel(const ModelDescription& description, Generator& rng);

  Tensor forward(const Tensor& x, const Tensor& t, const Indices& labels = {}) const override;
  bool has_score() const override { return true; }
  Tensor score_drift(const Tensor& x, const Tensor& t, const Indices& labels = {}) const override;

 private:
  std::shared_ptr<VelocityModel> velocity_, score_;
};

}  // namespace rill::nn
