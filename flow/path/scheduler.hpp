// Schedulers: the weights of data and noise on the path at time t.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "autodiff/tensor.hpp"

namespace rill::flow {

/// The coefficients of x_t = alpha x_1 + sigma x_0 at one time, and their derivatives with respect to t.
struct Coefficients {
  double alpha, sigma, d_alpha, d_sigma;
  double sigma_d_sigma;  ///< sigma d_sigma, half the derivative of the variance: finite even where d_sigma is not
};

/// The same for a batch of times: four tensors of the shape of t.
struct CoefficientTensors {
  Tensor alpha, sigma, d_alpha, d_sigma;
};

/// alpha increases from 0 to 1 and sigma decreases from 1 to 0 (or nearly so) as t goes from 0, noise, to 1, data.
/// d_alpha and d_sigma are not both 0 at t = 1: conversions between predictions divide by one of them there.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  virtual std::string name() const = 0;
  /// t in [0, 1]. Derivatives that are infinite at an end (d_sigma at t = 1 for two schedulers) are returned as such.
  virtual Coefficients at(double t) const = 0;
  /// The time at which alpha_t / sigma_t, the ratio of data to noise, which increases with t, equals alpha / sigma.
  /// alpha >= 0 and sigma >= 0 are given separately, since either (but not both) may be 0. Ratios outside the
  /// scheduler's range give the nearest end of [0, 1], exactly: a change of scheduler divides by sigma at that time, and
  /// an error of a rounding there becomes a huge velocity.
  virtual double time_of(double alpha, double sigma) const = 0;
  /// Elementwise in t, as constants: no gradient flows to t.
  CoefficientTensors at(const Tensor& t) const;
};

/// The straight line of conditional optimal transport:   alpha = t,   sigma = 1 - (1 - sigma_min) t
/// (Lipman et al., "Flow Matching for Generative Modeling", 2023, equation 20).
class CondOtScheduler final : public Scheduler {
 public:
  /// Throws std::invalid_argument unless 0 <= sigma_min < 1.
  explicit CondOtScheduler(double sigma_min = 0);
  using Scheduler::at;
  std::string name() const override { return "cond-ot"; }
  Coefficients at(double t) const override;
  double time_of(double alpha, double sigma) const override;

 private:
  double sigma_min_;
};

/// alpha = t^n,   sigma = 1 - t^n   (Lipman et al., "Flow Matching Guide and Code", 2024, code 5).
class PolynomialScheduler final : public Scheduler {
 public:
  /// Throws std::invalid_argument unless n > 0.
  explicit PolynomialScheduler(double n);
  using Scheduler::at;
  std::string name() const override { return "polynomial"; }
  Coefficients at(double t) const override;
  double time_of(double alpha, double sigma) const override;

 private:
  double n_;
};

/// alpha = sin(pi t / 2),   sigma = cos(pi t / 2)   (Albergo and Vanden-Eijnden, "Building Normalizing Flows with
/// Stochastic Interpolants", 2023, equation 5). With a start above 0, the angle begins there instead of at 0, as a
/// share of the right angle, so that some of the data is left at t = 0.
class CosineScheduler final : public Scheduler {
 public:
  /// Throws std::invalid_argument unless 0 <= start < 1.
  explicit CosineScheduler(double start = 0);
  using Scheduler::at;
  std::string name() const override { return "cosine"; }
  Coefficients at(double t) const override;
  double time_of(double alpha, double sigma) const override;

 private:
  double start_;
};

/// alpha = t,   sigma = sqrt(1 - t^2): the variance of unit-variance data stays 1 (Lipman et al. 2024, code 5).
class LinearVpScheduler final : public Scheduler {
 public:
  using Scheduler::at;
  std::string name() const override { return "linear-vp"; }
  Coefficients at(double t) const override;
  double time_of(double alpha, double sigma) const override;
};

/// The variance-preserving diffusion with noise rate linear in time (Song et al., "Score-Based Generative Modeling
/// through Stochastic Differential Equations", 2021, equations 32 and 33), with its time reversed, s = 1 - t:
///   T = s^2 (beta_max - beta_min) / 2 + s beta_min,   alpha = e^(-T/2),   sigma = sqrt(1 - e^-T)
class VpScheduler final : public Scheduler {
 public:
  /// Throws std::invalid_argument unless 0 <= beta_min < beta_max.
  explicit VpScheduler(double beta_min = 0.1, double beta_max = 20);
  using Scheduler::at;
  std::string name() const override { return "vp"; }
  Coefficients at(double t) const override;
  double time_of(double alpha, double sigma) const override;

 private:
  double beta_min_, beta_max_;
};

/// A scheduler by name, with the parameter that some schedulers have.
struct SchedulerDescription {
  std::string name = "cond-ot";
  double sigma_min = 0;  ///< of cond-ot
  double power = 2;      ///< n of polynomial
};

/// The names that make_scheduler knows.
std::vector<std::string> scheduler_names();

/// Throws std::invalid_argument, listing the known names, for an unknown one.
std::unique_ptr<Scheduler> make_scheduler(const SchedulerDescription& description);

}  // namespace rill::flow
