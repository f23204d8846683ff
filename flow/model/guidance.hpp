// Classifier-free guidance: strengthens the influence of a class.
#pragma once

#include <memory>
#include <string>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/model/annealing.hpp"
#include "flow/model/dynamics.hpp"
#include "flow/path/velocity.hpp"

namespace rill::flow {

/// A class-conditional field, interpolated between, or extrapolated beyond, "no class" and the class:
///   u(x, t, label) = v(x, t, no class) + weight (v(x, t, label) - v(x, t, no class))
/// weight 1 is the plain conditional velocity, 0 the unconditional one; above 1, samples become more typical of their
/// class and less varied (Ho and Salimans, "Classifier-Free Diffusion Guidance", 2022, equation 6, whose w is weight -
/// 1; Zheng et al., "Guided Flows for Generative Modeling and Decision Making", 2023, for flows). Both velocities come
/// from one evaluation of 2 N rows, or of N if the weight needs only one of them.
class GuidedVelocity final : public VelocityField {
 public:
  /// The field must have been trained with some labels dropped: see drop_labels() (flow/path/example.hpp).
  /// Throws std::invalid_argument for a field without classes and for a weight that is not finite.
  GuidedVelocity(std::shared_ptr<const VelocityField> field, double weight);

  /// Throws std::invalid_argument for no labels, and as the field does.
  Tensor operator()(const Tensor& x, const Tensor& t, const Indices& labels = {}) const override;

 private:
  std::shared_ptr<const VelocityField> field_;
  double weight_;
};

/// Why a model with this many classes, trained with this label dropout, has no guidance; empty if it does.
std::string why_no_guidance(Index classes, double label_dropout);

/// The dynamics with guidance. Throws std::invalid_argument if these do not support it, saying why.
Dynamics guided(Dynamics dynamics, double weight);
/// Scores with guidance, likewise.
ScoreLadder guided(ScoreLadder ladder, double weight);

}  // namespace rill::flow
