#include "flow/loss/score_matching.hpp"

#include "autodiff/ops.hpp"
#include "flow/path/path.hpp"
#include "flow/solver/velocity_divergence.hpp"

namespace rill::flow {

Tensor implicit_score_matching_loss(const Velocity& score, const Tensor& x, const Tensor& t, const Tensor& weight,
                                    const std::vector<Tensor>& probes) {
  const VelocityDivergence at = velocity_and_divergence(score, x, t, probes);
  const Tensor each = mean(at.divergence, {.axes = {1}}) + 0.5 * sum(square(at.velocity), {.axes = {1}});
  return mean(weight * each);
}

Tensor denoising_score_matching_loss(const Velocity& score, const Tensor& x, const Tensor& t, const Tensor& sigma,
                                     const Tensor& z) {
  return mse_loss(per_sample(sigma, x.rank()) * score(x, t), -z);
}

}  // namespace rill::flow
