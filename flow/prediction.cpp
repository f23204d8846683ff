#include "flow/prediction.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "flow/path.hpp"

namespace rill::flow {

Tensor convert(const Tensor& value, Prediction from, Prediction to, const Tensor& x_t, const Tensor& t,
               const Scheduler& scheduler) {
  require(value.shape() == x_t.shape() && x_t.rank() >= 1 && t.shape() == Shape{x_t.dim(0)},
          "convert: expected a value and x_t of one shape [N, ...] and t [N], got ", value.shape(), ", ", x_t.shape(),
          " and ", t.shape());
  if (from == to) return value;
  const CoefficientTensors c = scheduler.at(t);
  const Tensor alpha = per_sample(c.alpha, x_t.rank()), sigma = per_sample(c.sigma, x_t.rank());
  const Tensor d_alpha = per_sample(c.d_alpha, x_t.rank()), d_sigma = per_sample(c.d_sigma, x_t.rank());

  Tensor x_1, x_0;
  switch (from) {
    case Prediction::kVelocity: {
      const Tensor determinant = d_alpha * sigma - d_sigma * alpha;
      x_1 = (sigma * value - d_sigma * x_t) / determinant;
      x_0 = (d_alpha * x_t - alpha * value) / determinant;
      break;
    }
    case Prediction::kData:
      x_1 = value;
      x_0 = (x_t - alpha * x_1) / sigma;
      break;
    case Prediction::kNoise:
    case Prediction::kScore:
      x_0 = from == Prediction::kNoise ? value : -(sigma * value);
      x_1 = (x_t - sigma * x_0) / alpha;
      break;
  }
  switch (to) {
    case Prediction::kVelocity:
      return d_alpha * x_1 + d_sigma * x_0;
    case Prediction::kData:
      return x_1;
    case Prediction::kNoise:
      return x_0;
    case Prediction::kScore:
      return -x_0 / sigma;
  }
  fail("convert: unknown prediction ", static_cast<int>(to));
}

}  // namespace rill::flow
