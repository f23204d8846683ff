#include "flow/path.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::flow {

Tensor per_sample(const Tensor& values, int rank) {
  Shape shape{values.size()};
  while (shape.rank() < rank) shape.push_back(1);
  return reshape(values, shape);
}

PathSample AffinePath::sample(const Tensor& x_0, const Tensor& x_1, const Tensor& t) const {
  require(x_0.shape() == x_1.shape() && x_1.rank() >= 1 && t.shape() == Shape{x_1.dim(0)},
          "path: expected x_0 and x_1 of one shape [N, ...] and t [N], got ", x_0.shape(), ", ", x_1.shape(), " and ",
          t.shape());
  const CoefficientTensors c = scheduler_->at(t);
  const auto mix = [&](const Tensor& data_share, const Tensor& noise_share) {
    return per_sample(data_share, x_1.rank()) * x_1 + per_sample(noise_share, x_0.rank()) * x_0;
  };
  return {.x_t = mix(c.alpha, c.sigma), .dx_t = mix(c.d_alpha, c.d_sigma), .t = t};
}

}  // namespace rill::flow
