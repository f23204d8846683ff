#include "flow/scheduler.hpp"

#include <cmath>
#include <numbers>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"

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
  return {.alpha = t, .sigma = 1 - (1 - sigma_min_) * t, .d_alpha = 1, .d_sigma = -(1 - sigma_min_)};
}

PolynomialScheduler::PolynomialScheduler(double n) : n_(n) {
  require(n > 0, "polynomial scheduler: expected a power above 0, got ", n);
}

Coefficients PolynomialScheduler::at(double t) const {
  const double power = std::pow(t, n_), slope = n_ * std::pow(t, n_ - 1);
  return {.alpha = power, .sigma = 1 - power, .d_alpha = slope, .d_sigma = -slope};
}

Coefficients CosineScheduler::at(double t) const {
  const double quarter = std::numbers::pi / 2;
  const double s = std::sin(quarter * t), c = std::cos(quarter * t);
  return {.alpha = s, .sigma = c, .d_alpha = quarter * c, .d_sigma = -quarter * s};
}

Coefficients LinearVpScheduler::at(double t) const {
  const double sigma = std::sqrt(1 - t * t);
  return {.alpha = t, .sigma = sigma, .d_alpha = 1, .d_sigma = -t / sigma};
}

VpScheduler::VpScheduler(double beta_min, double beta_max) : beta_min_(beta_min), beta_max_(beta_max) {
  require(0 <= beta_min && beta_min < beta_max, "vp scheduler: expected 0 <= beta_min < beta_max, got ", beta_min,
          " and ", beta_max);
}

Coefficients VpScheduler::at(double t) const {
  const double s = 1 - t;
  const double total = s * s * (beta_max_ - beta_min_) / 2 + s * beta_min_;  // T, the noise added from data to here
  const double rate = s * (beta_max_ - beta_min_) + beta_min_;               // dT/ds = -dT/dt
  const double alpha = std::exp(-total / 2);
  const double sigma = std::sqrt(-std::expm1(-total));
  return {.alpha = alpha, .sigma = sigma, .d_alpha = alpha * rate / 2, .d_sigma = -alpha * alpha * rate / (2 * sigma)};
}

std::vector<std::string> scheduler_names() { return {"cond-ot", "polynomial", "cosine", "linear-vp", "vp"}; }

std::unique_ptr<Scheduler> make_scheduler(const SchedulerDescription& description) {
  const std::string& name = description.name;
  if (name == "cond-ot") return std::make_unique<CondOtScheduler>(description.sigma_min);
  if (name == "polynomial") return std::make_unique<PolynomialScheduler>(description.power);
  if (name == "cosine") return std::make_unique<CosineScheduler>();
  if (name == "linear-vp") return std::make_unique<LinearVpScheduler>();
  if (name == "vp") return std::make_unique<VpScheduler>();
  fail("unknown scheduler '", name, "'; known: ", joined(scheduler_names()));
}

}  // namespace rill::flow
