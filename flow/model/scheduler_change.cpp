#include "flow/model/scheduler_change.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "flow/path/forward_sde.hpp"
#include "flow/path/path.hpp"
#include "flow/path/prediction.hpp"

namespace rill::flow {
namespace {

// (alpha, sigma) in polar coordinates: the angle is the ratio of data to noise, the length the scale.
double squared_length(const Coefficients& c) { return c.alpha * c.alpha + c.sigma * c.sigma; }
double d_angle(const Coefficients& c) { return (c.d_alpha * c.sigma - c.d_sigma * c.alpha) / squared_length(c); }
double d_log_length(const Coefficients& c) { return (c.alpha * c.d_alpha + c.sigma_d_sigma) / squared_length(c); }

// The formulas; infinite or NaN where they are undefined.
PathChange formula(const Scheduler& from, const Scheduler& to, double r) {
  const Coefficients target = to.at(r);
  const double t = from.time_of(target.alpha, target.sigma);
  const Coefficients source = from.at(t);
  const double scale = std::sqrt(squared_length(target) / squared_length(source));
  // Outside the range of ratios that `from` has, t is constant.
  const double more_data = source.alpha * target.sigma - target.alpha * source.sigma;
  const bool beyond = (t == 0 || t == 1) && std::abs(more_data) > 1e-12;
  const double d_t = beyond ? 0 : d_angle(target) / d_angle(source);
  const double change = d_log_length(target) - (d_t == 0 ? 0 : d_log_length(source) * d_t);
  return {.t = t, .scale = scale, .d_t = d_t, .d_log_scale = change};
}

}  // namespace

PathChange path_change(const Scheduler& from, const Scheduler& to, double r) {
  const PathChange exact = formula(from, to, r);
  if (std::isfinite(exact.d_t) && std::isfinite(exact.d_log_scale)) return exact;
  return formula(from, to, std::clamp(r, kConversionMargin, 1 - kConversionMargin));
}

Velocity change_scheduler(const Velocity& velocity, std::shared_ptr<const Scheduler> from,
                          std::shared_ptr<const Scheduler> to) {
  require(from != nullptr && to != nullptr, "change of scheduler: expected two schedulers");
  return [=](const Tensor& x, const Tensor& r) {
    Tensor t = Tensor::empty(r.shape()), scale = Tensor::empty(r.shape());
    Tensor of_velocity = Tensor::empty(r.shape()), of_point = Tensor::empty(r.shape());
    PathChange change{};
    for (Index i = 0; i < r.size(); ++i) {
      // In a solver, the whole batch has one time.
      const bool again = i > 0 && r.data()[i] == r.data()[i - 1];
      if (!again) change = path_change(*from, *to, static_cast<double>(r.data()[i]));
      t.data()[i] = static_cast<Real>(change.t);
      scale.data()[i] = static_cast<Real>(change.scale);
      of_velocity.data()[i] = static_cast<Real>(change.scale * change.d_t);
      of_point.data()[i] = static_cast<Real>(change.d_log_scale);
    }
    const int rank = x.rank();
    const Tensor u = velocity(x / per_sample(scale, rank), t);
    return per_sample(of_point, rank) * x + per_sample(of_velocity, rank) * u;
  };
}

RescheduledVelocity::RescheduledVelocity(std::shared_ptr<const VelocityField> field,
                                         std::shared_ptr<const Scheduler> from, std::shared_ptr<const Scheduler> to)
    : VelocityField(field->dimension(), field->classes()),
      field_(std::move(field)),
      from_(std::move(from)),
      to_(std::move(to)) {}

Tensor RescheduledVelocity::operator()(const Tensor& x, const Tensor& t, const Indices& labels) const {
  return change_scheduler(with_labels(field_, labels), from_, to_)(x, t);
}

Dynamics on_scheduler(Dynamics dynamics, const std::string& name) {
  require(dynamics.path != nullptr, "change of scheduler: these dynamics have no path");
  require(dynamics.path->noise().kind == PathNoise::kNone,
          "the path of the training adds noise of its own, which no scheduler has; leave it out, or train on another "
          "path");
  const std::shared_ptr<const Scheduler> from(dynamics.path, &dynamics.path->scheduler());
  const auto to = std::make_shared<const AffinePath>(make_path({.name = name}));
  dynamics.velocity = std::make_shared<RescheduledVelocity>(std::move(dynamics.velocity), from,
                                                            std::shared_ptr<const Scheduler>(to, &to->scheduler()));
  dynamics.path = to;
  scale_source(dynamics, 1 / noise_deviation(*from));
  dynamics.noise_level = {};  // that of the other path
  return dynamics;
}

}  // namespace rill::flow
