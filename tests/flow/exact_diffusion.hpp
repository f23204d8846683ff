// The exact flow of a diffusion whose data are a mixture of two Gaussians on a line: what samplers are held against.
#pragma once

#include <cmath>
#include <memory>
#include <numbers>
#include <string>
#include <utility>

#include "autodiff/ops.hpp"
#include "flow/model/dynamics.hpp"
#include "flow/path/forward_sde.hpp"
#include "flow/path/path.hpp"
#include "flow/path/prediction.hpp"

namespace rill::flow {

/// Weight 0.3 at -2 and 0.7 at 1, deviation 0.4.
struct TwoGaussians {
  double weight = 0.3, left = -2, right = 1, deviation = 0.4;

  double density(double x) const {
    const auto mode = [&](double m) {
      return std::exp(-(x - m) * (x - m) / (2 * deviation * deviation)) / (deviation * std::sqrt(2 * std::numbers::pi));
    };
    return weight * mode(left) + (1 - weight) * mode(right);
  }
  double mean() const { return weight * left + (1 - weight) * right; }
  double variance() const {
    const double between = (right - left) * (right - left) * weight * (1 - weight);
    return deviation * deviation + between;
  }
};

/// Its velocity on the path of a scheduler, from the exact score of x_t, whose modes are N(alpha m, (alpha s)^2 +
/// sigma^2).
class ExactVelocity final : public VelocityField {
 public:
  explicit ExactVelocity(std::shared_ptr<const AffinePath> path, TwoGaussians data = {})
      : VelocityField(1, 0), path_(std::move(path)), data_(data) {}

  Tensor operator()(const Tensor& x, const Tensor& t, const Indices&) const override {
    const Scheduler& scheduler = path_->scheduler();
    const auto at_times = [&](const auto& value) {
      Tensor result = Tensor::empty({t.size(), 1});
      for (Index i = 0; i < t.size(); ++i) {
        // In a solver, the whole batch has one time.
        const bool again = i > 0 && t.data()[i] == t.data()[i - 1];
        result.data()[i] =
            again ? result.data()[i - 1] : static_cast<Real>(value(scheduler.at(static_cast<double>(t.data()[i]))));
      }
      return result;
    };
    const Tensor alpha = at_times([](const Coefficients& c) { return c.alpha; });
    const Tensor variance = at_times([](const Coefficients& c) { return c.sigma * c.sigma; });
    const Tensor v = square(alpha * data_.deviation) + variance;
    // The posterior weight of the left mode is sigmoid(logit).
    const Tensor logit = (square(x - alpha * data_.right) - square(x - alpha * data_.left)) / (2 * v) +
                         std::log(data_.weight / (1 - data_.weight));
    const Tensor of_left = sigmoid(logit);
    const Tensor score = (alpha * (of_left * data_.left + (1 - of_left) * data_.right) - x) / v;
    // u = alpha' E[x_1] + sigma' E[x_0] with E[x_0] = -sigma score: finite at both ends.
    const Tensor data = (x + variance * score) / alpha;
    return at_times([](const Coefficients& c) { return c.d_alpha; }) * data -
           at_times([](const Coefficients& c) { return c.sigma_d_sigma; }) * score;
  }

 private:
  std::shared_ptr<const AffinePath> path_;
  TwoGaussians data_;
};

inline Dynamics exact_dynamics(const std::string& forward_sde) {
  const auto path = std::make_shared<const AffinePath>(forward_scheduler({.name = forward_sde}));
  Dynamics dynamics{.velocity = std::make_shared<ExactVelocity>(path), .path = path};
  scale_source(dynamics, noise_deviation(path->scheduler()));
  dynamics.noise_level = [path](double t) { return std::sqrt(bounded_diffusion(path->scheduler().at(t))); };
  return dynamics;
}

}  // namespace rill::flow
