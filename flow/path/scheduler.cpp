#include "flow/path/scheduler.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"

namespace rill::flow {

CoefficientTensors Scheduler::at(const Tensor& t) const {
  CoefficientTensors c{Tensor::empty(t.shape()), Tensor::empty(t.shape()), Tensor::empty(t.shape()),
                       Tensor::empty(t.shape())};
  for (Index i = 0; i < t.size(); ++i) {
    const Coefficients one = at(static_cast<double>(t.data()[i]));
    c.alpha.data()[i] = static_cast<Real>(one.alpha);
    c.sigma.data()[i] = static_cast<Real>(one.sigma);
    c.d_alpha.data()[i] = static_cast<Real>(one.d_alpha);
    c.d_sigma.data()[i] = static_cast<Real>(one.d_sigma);
  }
  return c;
}

CondOtScheduler::CondOtScheduler(double sigma_min) : sigma_min_(sigma_min) {
  require(0 <= sigma_min && sigma_min < 1, "cond-ot scheduler: expected 0 <= sigma_min < 1, got ", sigma_min);
}

Coefficients CondOtScheduler::at(double t) const {
  const double fall = 1 - sigma_min_, sigma = 1 - fall * t;
  return {.alpha = t, .sigma = sigma, .d_alpha = 1, .d_sigma = -fall, .sigma_d_sigma = -fall * sigma};
}

double CondOtScheduler::time_of(double alpha, double sigma) const {
  return std::min(1.0, alpha / (sigma + (1 - sigma_min_) * alpha));
}

PolynomialScheduler::PolynomialScheduler(double n) : n_(n) {
  require(n > 0, "polynomial scheduler: expected a power > 0, got ", n);
}

Coefficients PolynomialScheduler::at(double t) const {
  const double power = std::pow(t, n_), slope = n_ * std::pow(t, n_ - 1);
  return {
      .alpha = power, .sigma = 1 - power, .d_alpha = slope, .d_sigma = -slope, .sigma_d_sigma = -slope * (1 - power)};
}

double PolynomialScheduler::time_of(double alpha, double sigma) const {
  return std::pow(alpha / (alpha + sigma), 1 / n_);
}

CosineScheduler::CosineScheduler(double start) : start_(start) {
  require(0 <= start && start < 1, "cosine scheduler: expected 0 <= start < 1, got ", start);
}

Coefficients CosineScheduler::at(double t) const {
  const double slope = std::numbers::pi / 2 * (1 - start_), rest = slope * (1 - t);  // rest: up to the right angle
  const double s = std::sin(std::numbers::pi / 2 * start_ + slope * t), c = std::sin(rest);  // so that sigma(1) = 0
  return {.alpha = s, .sigma = c, .d_alpha = slope * c, .d_sigma = -slope * s, .sigma_d_sigma = -slope * s * c};
}

double CosineScheduler::time_of(double alpha, double sigma) const {
  const double angle = std::atan2(alpha, sigma) * 2 / std::numbers::pi;
  return std::max(0.0, (angle - start_) / (1 - start_));
}

Coefficients LinearVpScheduler::at(double t) const {
  const double sigma = std::sqrt(1 - t * t);
  return {.alpha = t, .sigma = sigma, .d_alpha = 1, .d_sigma = -t / sigma, .sigma_d_sigma = -t};
}

double LinearVpScheduler::time_of(double alpha, double sigma) const { return alpha / std::hypot(alpha, sigma); }

VpScheduler::VpScheduler(double beta_min, double beta_max) : beta_min_(beta_min), beta_max_(beta_max) {
  require(0 <= beta_min && beta_min < beta_max, "beta_min: expected 0 <= beta_min < beta_max, got ", beta_min,
          " and ", beta_max);
}

Coefficients VpScheduler::at(double t) const {
  const double s = 1 - t;
  const double total = s * s * (beta_max_ - beta_min_) / 2 + s * beta_min_;  // T, the noise added since the data
  const double rate = s * (beta_max_ - beta_min_) + beta_min_;               // dT/ds = -dT/dt
  const double alpha = std::exp(-total / 2);
  const double sigma = std::sqrt(-std::expm1(-total));
  const double sigma_d_sigma = -alpha * alpha * rate / 2;
  return {.alpha = alpha,
          .sigma = sigma,
          .d_alpha = alpha * rate / 2,
          .d_sigma = sigma_d_sigma / sigma,
          .sigma_d_sigma = sigma_d_sigma};
}

double VpScheduler::time_of(double alpha, double sigma) const {
  if (alpha == 0) return 0;
  // alpha^2 / (alpha^2 + sigma^2) = e^-T, and T is a quadratic in s = 1 - t, solved without cancellation.
  const double total = std::log1p(sigma / alpha * (sigma / alpha));
  const double s = 2 * total / (beta_min_ + std::sqrt(beta_min_ * beta_min_ + 2 * (beta_max_ - beta_min_) * total));
  return total > 0 ? std::max(0.0, 1 - s) : 1;
}

std::vector<std::string> scheduler_names() { return {"cond-ot", "polynomial", "cosine", "linear-vp", "vp"}; }

std::unique_ptr<Scheduler> make_scheduler(const SchedulerDescription& description) {
  const std::string& name = description.name;
  if (name == "cond-ot") return std::make_unique<CondOtScheduler>(description.sigma_min);
  if (name == "polynomial") return std::make_unique<PolynomialScheduler>(description.power);
  if (name == "cosine") return std::make_unique<CosineScheduler>();
  if (name == "linear-vp") return std::make_unique<LinearVpScheduler>();
  if (name == "vp") return std::make_unique<VpScheduler>();
  fail(unknown_name("scheduler", name, scheduler_names()));
}

}  // namespace rill::flow
