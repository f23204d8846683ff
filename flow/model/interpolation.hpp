// Interpolation between two samples, on the sphere near which noise lies, and between two classes.
#pragma once

#include <memory>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"
#include "flow/path/velocity.hpp"

namespace rill::flow {

/// For each row, the arc from a to b,   (sin((1 - w) theta) a + sin(w theta) b) / sin(theta),   theta the angle between
/// them (Shoemake, "Animating Rotation with Quaternion Curves", 1985, section 3.3). In many dimensions noise lies near
/// a sphere, which a straight line would leave. Rows of (nearly) the same direction are joined by a straight line.
///   a, b: [N, D], w: [N] -> [N, D]. Throws std::invalid_argument for other shapes.
Tensor spherical_interpolation(const Tensor& a, const Tensor& b, const Tensor& w);

/// (1 - weight) of one class and `weight` of another.
struct ClassMixture {
  Index first, second;
  double weight;
};

/// A field whose classes are mixtures of those of a class-conditional field:
///   u(x, t, m) = (1 - weight_m) v(x, t, first_m) + weight_m v(x, t, second_m)
/// Both velocities come from one evaluation of 2 N rows. The field may itself be a guided one.
class ClassMixtures final : public VelocityField {
 public:
  /// Throws std::invalid_argument for no mixtures, for classes that the field does not have, and for weights outside
  /// [0, 1].
  ClassMixtures(std::shared_ptr<const VelocityField> field, std::vector<ClassMixture> mixtures);

  /// labels: indices of mixtures, or empty for no class.
  Tensor operator()(const Tensor& x, const Tensor& t, const Indices& labels = {}) const override;

 private:
  std::shared_ptr<const VelocityField> field_;
  std::vector<ClassMixture> mixtures_;
};

}  // namespace rill::flow
