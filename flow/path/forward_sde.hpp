// Diffusion: the stochastic differential equations that turn data into noise.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/description.hpp"
#include "flow/path/scheduler.hpp"

namespace rill::flow {

/// The names of forward_scheduler().
std::vector<std::string> forward_sde_names();

/// Diffusion begins at the time s = 0.001: closer to the data, the slope of vp's sigma is without bound, and so is what
/// a small error of the network does to the velocity (Song et al. 2021, appendix C, stops sampling there).
inline constexpr double kDiffusionStart = 1e-3;

/// dx = f x ds + g dw with the time s = 1 - (1 - kDiffusionStart) t of diffusion, from the data at s = 0 to noise at s
/// = 1 (Song et al., "Score-Based Generative Modeling through Stochastic Differential Equations", 2021, table 1 and
/// appendix B). As f is linear in x, the distribution of a point given its data is Gaussian, x_t = alpha_t x_1 +
/// sigma_t eps, and its two coefficients say all of the SDE:
///   f = d ln(alpha) / ds,   g^2 = d sigma^2 / ds - 2 f sigma^2
///
///   vp       f = -beta/2, g^2 = beta, beta linear in s: the variance is preserved, the limit of DDPM's chain
///            (Ho et al., "Denoising Diffusion Probabilistic Models", 2020)
///   sub-vp   the same f, g^2 = beta (1 - e^(-2 T)), T = integral of beta: never more variance than vp
///   ve       f = 0, sigma geometric from sigma_min to sigma_max: the variance explodes, the limit of a ladder of noise
///            levels (Song and Ermon 2019)
///   cosine   alpha = sin a, sigma = cos a, a linear in t (Nichol and Dhariwal, "Improved Denoising Diffusion
///            Probabilistic Models", 2021), from a = 0.0126 at t = 0: at exactly 0, where no data are left, g is
///            infinite, and a noise prediction says nothing
struct ForwardSdeDescription {
  std::string name = "vp";
  double beta_min = 0.1, beta_max = 20;
  double sigma_min = 0.01, sigma_max = 50;

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("forward_sde", self.name,
          {.unit = "NAME", .help = "the SDE that turns data into noise", .names = forward_sde_names, .summary = "{}"});
    visit("beta_min", self.beta_min,
          {.unit = "RATE",
           .help = "beta, the rate at which noise comes, at the data",
           .only = {"forward-sde", self.name, {"vp", "sub-vp"}}});
    visit("beta_max", self.beta_max,
          {.unit = "RATE", .help = "beta at the noise", .only = {"forward-sde", self.name, {"vp", "sub-vp"}}});
    visit("sigma_min", self.sigma_min,
          {.unit = "SIGMA",
           .help = "the least noise: what is too small to see",
           .only = {"forward-sde", self.name, {"ve"}}});
    visit("sigma_max", self.sigma_max,
          {.unit = "SIGMA",
           .help = "the most noise: it must hide the data, their mean included",
           .only = {"forward-sde", self.name, {"ve"}}});
  }
  friend bool operator==(const ForwardSdeDescription&, const ForwardSdeDescription&) = default;
};

/// alpha_t and sigma_t of the SDE; at t = 1, sigma is 0.01 for vp and ve, and less for the others. Throws
/// std::invalid_argument, listing the known names, for an unknown one, and for parameters out of order.
std::unique_ptr<Scheduler> forward_scheduler(const ForwardSdeDescription& description);

/// g^2 at time t of the linear SDE whose coefficients these are, for any scheduler; per unit of time:
///   g^2 = 2 sigma (sigma alpha' / alpha - sigma')
/// Infinite where alpha = 0.
double squared_diffusion(const Coefficients& c);
/// The same, but at most 20 (alpha^2 + sigma^2), the most of vp: toward the noise, that of cosine grows without bound,
/// and the steps of a solver do not. The way back has the right marginals for any g (sde_of_flow()).
double bounded_diffusion(const Coefficients& c);

/// The deviation of the points at t = 0, for data of variance 1: sigma_max for ve, 1 for the others.
double noise_deviation(const Scheduler& scheduler);

/// Another scheduler up to the time `end`, stretched to [0, 1].
class ShortenedScheduler final : public Scheduler {
 public:
  ShortenedScheduler(std::unique_ptr<Scheduler> scheduler, double end) : scheduler_(std::move(scheduler)), end_(end) {}
  using Scheduler::at;
  std::string name() const override { return scheduler_->name(); }
  Coefficients at(double t) const override;
  double time_of(double alpha, double sigma) const override;

 private:
  std::unique_ptr<Scheduler> scheduler_;
  double end_;
};

/// sigma = 1 - e^-T, alpha = e^(-T/2), T as for vp   (Song et al. 2021, equation 29).
class SubVpScheduler final : public Scheduler {
 public:
  /// Throws std::invalid_argument as VpScheduler does.
  SubVpScheduler(double beta_min, double beta_max);
  using Scheduler::at;
  std::string name() const override { return "sub-vp"; }
  Coefficients at(double t) const override;
  double time_of(double alpha, double sigma) const override;

 private:
  VpScheduler vp_;
};

/// alpha = 1, sigma = sigma_min (sigma_max / sigma_min)^(1 - t)   (Song et al. 2021, equation 30).
/// Unlike on other schedulers, the points at t = 0 are not standard normal but sigma_max times as wide.
class VeScheduler final : public Scheduler {
 public:
  /// Throws std::invalid_argument unless 0 < sigma_min < sigma_max.
  VeScheduler(double sigma_min, double sigma_max);
  using Scheduler::at;
  std::string name() const override { return "ve"; }
  Coefficients at(double t) const override;
  double time_of(double alpha, double sigma) const override;

 private:
  double sigma_min_, log_ratio_;
};

}  // namespace rill::flow
