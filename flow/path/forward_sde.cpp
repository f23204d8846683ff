#include "flow/path/forward_sde.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"

namespace rill::flow {

std::vector<std::string> forward_sde_names() { return {"vp", "sub-vp", "ve", "cosine"}; }

std::unique_ptr<Scheduler> forward_scheduler(const ForwardSdeDescription& description) {
  const auto& [name, beta_min, beta_max, sigma_min, sigma_max] = description;
  constexpr double kCosineStart = 0.008;  // a = 0.0126
  const auto shortened = [](std::unique_ptr<Scheduler> whole) {
    return std::make_unique<ShortenedScheduler>(std::move(whole), 1 - kDiffusionStart);
  };
  if (name == "vp") return shortened(std::make_unique<VpScheduler>(beta_min, beta_max));
  if (name == "sub-vp") return shortened(std::make_unique<SubVpScheduler>(beta_min, beta_max));
  if (name == "ve") return std::make_unique<VeScheduler>(sigma_min, sigma_max);  // ends at sigma_min
  if (name == "cosine") return shortened(std::make_unique<CosineScheduler>(kCosineStart));
  fail(unknown_name("forward SDE", name, forward_sde_names()));
}

double squared_diffusion(const Coefficients& c) {
  return 2 * (c.sigma * c.sigma * c.d_alpha / c.alpha - c.sigma_d_sigma);
}

double bounded_diffusion(const Coefficients& c) {
  constexpr double kMost = 20;
  return std::min(squared_diffusion(c), kMost * (c.alpha * c.alpha + c.sigma * c.sigma));
}

double noise_deviation(const Scheduler& scheduler) {
  const Coefficients start = scheduler.at(0.0);
  return std::max(1.0, std::hypot(start.alpha, start.sigma));
}

Coefficients ShortenedScheduler::at(double t) const {
  Coefficients c = scheduler_->at(end_ * t);
  c.d_alpha *= end_;
  c.d_sigma *= end_;
  c.sigma_d_sigma *= end_;
  return c;
}

double ShortenedScheduler::time_of(double alpha, double sigma) const {
  return std::min(1.0, scheduler_->time_of(alpha, sigma) / end_);
}

SubVpScheduler::SubVpScheduler(double beta_min, double beta_max) : vp_(beta_min, beta_max) {}

Coefficients SubVpScheduler::at(double t) const {
  // The variance of vp is 1 - e^-T, the deviation here.
  const Coefficients vp = vp_.at(t);
  const double sigma = vp.sigma * vp.sigma, d_sigma = 2 * vp.sigma_d_sigma;
  return {
      .alpha = vp.alpha, .sigma = sigma, .d_alpha = vp.d_alpha, .d_sigma = d_sigma, .sigma_d_sigma = sigma * d_sigma};
}

double SubVpScheduler::time_of(double alpha, double sigma) const {
  if (alpha == 0) return 0;
  // r = sigma / alpha = (1 - a^2) / a with a = e^(-T/2), hence a = 2 / (r + sqrt(r^2 + 4)).
  const double r = sigma / alpha, a = 2 / (r + std::sqrt(r * r + 4));
  // 1 - a^2 = r a, without cancellation
  return vp_.time_of(a, std::sqrt(r * a));
}

VeScheduler::VeScheduler(double sigma_min, double sigma_max)
    : sigma_min_(sigma_min), log_ratio_(std::log(sigma_max / sigma_min)) {
  require(0 < sigma_min && sigma_min < sigma_max && std::isfinite(log_ratio_),
          "sigma_min: expected 0 < sigma_min < sigma_max, got ", sigma_min, " and ", sigma_max);
}

Coefficients VeScheduler::at(double t) const {
  const double sigma = sigma_min_ * std::exp(log_ratio_ * (1 - t)), d_sigma = -log_ratio_ * sigma;
  return {.alpha = 1, .sigma = sigma, .d_alpha = 0, .d_sigma = d_sigma, .sigma_d_sigma = sigma * d_sigma};
}

double VeScheduler::time_of(double alpha, double sigma) const {
  if (sigma == 0) return 1;
  return std::clamp(1 - std::log(sigma / (alpha * sigma_min_)) / log_ratio_, 0.0, 1.0);
}

}  // namespace rill::flow
