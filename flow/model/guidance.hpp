// Classifier-free guidance: a class pulls harder than it was trained to.
#pragma once

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "nn/velocity_model.hpp"

namespace rill::flow {

/// A class-conditional model as another one whose velocity lies between, or beyond, "no class" and the class:
///   u(x, t, label) = v(x, t, no class) + weight (v(x, t, label) - v(x, t, no class))
/// weight 1 is the plain conditional velocity, 0 the unconditional one; above 1, samples become more typical of their
/// class and less varied (Ho and Salimans, "Classifier-Free Diffusion Guidance", 2022, equation 6, whose w is weight -
/// 1; Zheng et al., "Guided Flows for Generative Modeling and Decision Making", 2023, for flows). Both velocities come
/// from one forward pass of 2 N rows, or of N where the weight needs one of them only.
/// Stands wherever a model does: generate(), log_likelihood(), velocity_of(). It has no parameters of its own.
class GuidedModel final : public nn::VelocityModel {
 public:
  /// The model must outlive this one, and must have been trained with some labels dropped: see drop_labels()
  /// (flow/path/example.hpp).
  /// Throws std::invalid_argument for a model without classes and for a weight that is not finite.
  GuidedModel(const nn::VelocityModel& model, double weight);
  GuidedModel(const nn::VelocityModel&& model, double weight) = delete;

  /// Throws std::invalid_argument for no labels, and as the model does.
  Tensor forward(const Tensor& x, const Tensor& t, const Indices& labels = {}) const override;

 private:
  const nn::VelocityModel& model_;
  double weight_;
};

}  // namespace rill::flow
