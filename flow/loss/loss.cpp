#include "flow/loss/loss.hpp"

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::flow {

Tensor conditional_flow_matching_loss(const Velocity& velocity, const PathSample& sample) {
  return mse_loss(velocity(sample.x_t, sample.t), sample.dx_t);
}

Tensor bridge_score_loss(const Velocity& score_drift, const PathSample& sample, double sigma) {
  require(sample.z.defined() && sigma > 0, "bridge_score_loss: expected a path with a bridge's noise, sigma above 0");
  const Tensor lambda = per_sample(sqrt(sample.t * (1 - sample.t)) * (2 / sigma), sample.x_t.rank());
  return mse_loss(lambda * score_drift(sample.x_t, sample.t), -sample.z);
}

}  // namespace rill::flow
