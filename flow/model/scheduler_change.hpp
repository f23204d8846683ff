// Another scheduler after training: the same flow, walked at another pace and scale.
#pragma once

#include <memory>
#include <string>

#include "flow/model/dynamics.hpp"
#include "flow/path/scheduler.hpp"
#include "flow/path/velocity.hpp"

namespace rill::flow {

/// Where the paths of two schedulers carry the same share of data against noise: the point of the one at time r is
/// `scale` times the point of the other at time t.
struct PathChange {
  double t, scale;
  double d_t, d_log_scale;  ///< the derivatives of t and of ln scale with respect to r
};

/// t = rho^-1(rho_bar(r)) with rho = alpha / sigma, and scale = sigma_bar_r / sigma_t = alpha_bar_r / alpha_t, computed
/// as the ratio of the lengths of (alpha, sigma), so that both ends have one. Where a derivative is infinite or
/// undetermined (at an end where one scheduler stands still and the other does not) all are those of the time
/// kConversionMargin inside [0, 1]. Shares that `from` does not have (vp never starts from pure noise) take its nearest
/// end, with d_t = 0.
PathChange path_change(const Scheduler& from, const Scheduler& to, double r);

/// The velocity of the path of the scheduler `to`, from that of a path of the scheduler `from` with the same source and
/// data:
///   u_bar_r(x) = (s' / s) x + s t' u_t(x / s),   s the scale
/// Both flows carry a source point to the same data point (where both schedulers run from pure noise to pure data)
/// (Pokle et al., "Training-free Linear Image Inverses via Flows", 2023; Lipman et al., "Flow Matching Guide and Code",
/// 2024, equations 4.65 to 4.67 and what follows them).
Velocity change_scheduler(const Velocity& velocity, std::shared_ptr<const Scheduler> from,
                          std::shared_ptr<const Scheduler> to);

/// The same for a field with labels.
class RescheduledVelocity final : public VelocityField {
 public:
  RescheduledVelocity(std::shared_ptr<const VelocityField> field, std::shared_ptr<const Scheduler> from,
                      std::shared_ptr<const Scheduler> to);

  Tensor operator()(const Tensor& x, const Tensor& t, const Indices& labels = {}) const override;

 private:
  std::shared_ptr<const VelocityField> field_;
  std::shared_ptr<const Scheduler> from_, to_;
};

/// The dynamics on the path of another scheduler, chosen by its name (see make_scheduler()). Throws
/// std::invalid_argument for a path with noise of its own, which no scheduler has, and for an unknown name.
Dynamics on_scheduler(Dynamics dynamics, const std::string& name);

}  // namespace rill::flow
