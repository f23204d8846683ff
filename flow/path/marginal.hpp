// The exact marginal path of a finite data set, which a perfect network would learn.
#pragma once

#include <memory>

#include "autodiff/tensor.hpp"
#include "flow/path/scheduler.hpp"
#include "flow/path/velocity.hpp"

namespace rill::flow {

/// Data x_1 drawn uniformly from M points and Gaussian noise x_0 make x_t a Gaussian mixture,
///   p_t(x) = 1/M sum_i N(x; alpha_t x_1^i, sigma_t^2 I),
/// and the marginal velocity the average of the conditional ones over the posterior of i given x:
///   u_t(x) = sum_i w_i(x) (alpha'_t x_1^i + sigma'_t (x - alpha_t x_1^i) / sigma_t),
///   w_i(x) = softmax_i(-|x - alpha_t x_1^i|^2 / (2 sigma_t^2))
/// (Lipman et al., "Flow Matching for Generative Modeling", 2023, equations 6 and 8). Computed in double from
/// differences, with the largest exponent subtracted, so that it is accurate down to the smallest sigma; O(N M D) per
/// call; no gradients.
class EmpiricalMarginal {
 public:
  /// x_1: [M, D], M >= 1. Throws std::invalid_argument for another shape.
  EmpiricalMarginal(const Tensor& x_1, std::shared_ptr<const Scheduler> scheduler);

  /// x: [N, D], t: [N] -> [N, D]. Throws std::invalid_argument if sigma_t = 0, where the velocity is undefined:
  /// integrate to an earlier time, or use a scheduler with sigma_min > 0.
  Tensor velocity(const Tensor& x, const Tensor& t) const;
  /// The posterior w_i(x) of the data points.   x: [N, D], t: [N] -> [N, M]. Throws as velocity() does.
  Tensor weights(const Tensor& x, const Tensor& t) const;
  /// ln p_t(x) in nats.   x: [N, D], t: [N] -> [N]. Throws as velocity() does.
  Tensor log_density(const Tensor& x, const Tensor& t) const;

 private:
  Tensor x_1_;
  std::shared_ptr<const Scheduler> scheduler_;
};

}  // namespace rill::flow
