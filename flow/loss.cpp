#include "flow/loss.hpp"

#include "autodiff/ops.hpp"

namespace rill::flow {

Tensor conditional_flow_matching_loss(const Velocity& velocity, const PathSample& sample) {
  return mse_loss(velocity(sample.x_t, sample.t), sample.dx_t);
}

}  // namespace rill::flow
