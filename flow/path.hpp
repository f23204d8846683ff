// The conditional probability path: how a noise point moves to a data point.
#pragma once

#include <memory>

#include "autodiff/tensor.hpp"
#include "flow/scheduler.hpp"

namespace rill::flow {

/// A point on the path and the velocity with which it passes there.   x_t, dx_t: [N, ...];   t: [N]
struct PathSample {
  Tensor x_t, dx_t, t;
};

/// x_t = alpha_t x_1 + sigma_t x_0,   dx_t = alpha'_t x_1 + sigma'_t x_0
/// (Lipman et al., "Flow Matching Guide and Code", 2024, equations 4.33 and 4.34).
class AffinePath {
 public:
  explicit AffinePath(std::unique_ptr<Scheduler> scheduler) : scheduler_(std::move(scheduler)) {}

  const Scheduler& scheduler() const { return *scheduler_; }

  /// x_0, x_1: [N, ...], t: [N]. Gradients flow to x_0 and x_1. Throws std::invalid_argument for other shapes.
  PathSample sample(const Tensor& x_0, const Tensor& x_1, const Tensor& t) const;

 private:
  std::unique_ptr<Scheduler> scheduler_;
};

/// One number per sample, [N], as [N, 1, ...], which broadcasts over a batch of the given rank.
Tensor per_sample(const Tensor& values, int rank);

}  // namespace rill::flow
