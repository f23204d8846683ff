#include "flow/path/velocity.hpp"

#include <utility>

#include "autodiff/error.hpp"

namespace rill::flow {

void VelocityField::check_input(const Tensor& x, const Tensor& t, const Indices& labels) const {
  require(x.rank() == 2 && x.dim(1) == dimension_, "velocity: x has shape ", x.shape(), ", expected [N, ", dimension_,
          "]");
  require(t.rank() == 1 && t.dim(0) == x.dim(0), "velocity: t has shape ", t.shape(), ", expected [", x.dim(0),
          "], one time per row of x");
  require(labels.size() == 0 || labels.size() == x.dim(0), "velocity: ", labels.size(), " labels for ", x.dim(0),
          " points");
  for (const Index label : labels) {
    require(0 <= label && label <= classes_, "velocity: label ", label, ", expected 0 to ", classes_ - 1, ", or ",
            classes_, " for no class");
  }
}

Velocity with_labels(std::shared_ptr<const VelocityField> field, const Indices& labels) {
  return [field = std::move(field), labels](const Tensor& x, const Tensor& t) { return (*field)(x, t, labels); };
}

}  // namespace rill::flow
