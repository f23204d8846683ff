// Changes the scheduler after training: the same flow, with another time and scale.
#pragma once

#include <memory>
#include <string>

#include "flow/model/dynamics.hpp"
#include "flow/path/scheduler.hpp"
#include "flow/path/velocity.hpp"

namespace rill::flow {

/// Where the paths of two schedulers have the same ratio of data to noise: the point of one at time r is `scale` times
/// the point of the other at time t.
struct PathChange {
  double t, scale;
  double d_t, d_log_scale;  ///< the derivatives of t and of ln scale with respect to r
};

/// t = rho^-1(rho_bar(r)) with rho = alpha / sigma, and scale = sigma_bar_r / sigma_t = alpha_bar_r / alpha_t, computed
/// as the ratio of the lengths of (alpha, sigma), which is defined at both ends. Where a derivative is infinite or
/// undetermined (at an end where one scheduler has zero slope and the other does not), all values are those at the time
/// kConversionMargin inside [0, 1]. Ratios that `from` does not have (vp never starts from pure noise) map to its
/// nearest end, with d_t = 0.
PathChange path_change(const Scheduler& from, const Scheduler& to, double r);

/// The velocity of the path of the scheduler `to`, from that of a path of the scheduler `from` with the same source and
/// data:
///   u_bar_r(x) = (s' / s) x + s t' u_t(x / s),   s the scale
/// Both flows move a source point to the same data point (if both schedulers go from pure noise to pure data)
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

/// The dynamics on the path of another scheduler, given by name (see make_scheduler()). Throws std::invalid_argument
/// for a path that adds noise, which no scheduler has, and for an unknown name.
Dynamics on_scheduler(Dynamics dynamics, const std::string& name);

}  // namespace rill::flow
