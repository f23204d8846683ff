#include "flow/loss/denoising.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "flow/path/path.hpp"

namespace rill::flow {
namespace {

double squared_ratio(const Coefficients& c) { return (c.alpha / c.sigma) * (c.alpha / c.sigma); }

// Squared errors of the output, as multiples of those of the data.
double squared_error_of_output(const std::string& target, double snr) {
  if (target == "data") return 1;
  return target == "v" ? snr + 1 : snr;
}

Tensor filled(Index n, const auto& value_at) {
  Tensor result = Tensor::empty({n});
  for (Index i = 0; i < n; ++i) result.data()[i] = static_cast<Real>(value_at(i));
  return result;
}

}  // namespace

std::vector<std::string> denoising_target_names() { return {"noise", "data", "score", "v"}; }
std::vector<std::string> denoising_weighting_names() { return {"uniform", "min-snr", "likelihood"}; }

void check(const DenoisingDescription& description) {
  require_known("prediction", description.target, denoising_target_names());
  require_known("weighting", description.weighting, denoising_weighting_names());
}

DenoisingExample denoising_example(const Tensor& x_1, const Tensor& x_0, const Tensor& u, const Scheduler& scheduler,
                                   const DenoisingDescription& description) {
  require(x_1.rank() == 2 && x_0.shape() == x_1.shape() && u.shape() == Shape{x_1.dim(0)},
          "denoising: expected x_1 and x_0 of one shape [N, D] and u [N], got ", x_1.shape(), ", ", x_0.shape(),
          " and ", u.shape());
  const Index n = x_1.dim(0);
  const double low = std::log(squared_ratio(scheduler.at(0.0))), high = std::log(squared_ratio(scheduler.at(1.0)));
  const bool by_likelihood = description.weighting == "likelihood";
  const auto time_at = [&](Index i) {
    const auto share = static_cast<double>(u.data()[i]);
    if (!by_likelihood) return share;
    return scheduler.time_of(std::exp((low + share * (high - low)) / 2), 1);
  };
  DenoisingExample example{.x_t = {}, .t = filled(n, time_at), .target = {}, .weight = {}, .labels = {}};
  const CoefficientTensors c = scheduler.at(example.t);
  const Tensor alpha = per_sample(c.alpha, 2), sigma = per_sample(c.sigma, 2);
  example.x_t = alpha * x_1 + sigma * x_0;
  const std::string& target = description.target;
  if (target == "noise") example.target = x_0;
  if (target == "data") example.target = x_1;
  if (target == "score") example.target = -x_0;
  if (target == "v") example.target = (alpha * x_0 - sigma * x_1) / sqrt(square(alpha) + square(sigma));
  if (description.weighting == "uniform") return example;
  constexpr double kMostSnr = 5;
  example.weight = filled(n, [&](Index i) {
    const double snr = squared_ratio(scheduler.at(static_cast<double>(example.t.data()[i])));
    const double of_data = by_likelihood ? (high - low) / 2 * snr : std::min(snr, kMostSnr);
    return of_data / squared_error_of_output(target, snr);
  });
  return example;
}

Tensor denoising_loss(const Tensor& output, const DenoisingExample& example) {
  if (!example.weight.defined()) return mse_loss(output, example.target);
  return mse_loss(per_sample(sqrt(example.weight), 2) * output, per_sample(sqrt(example.weight), 2) * example.target);
}

Tensor input_scale(const Tensor& t, const Scheduler& scheduler) {
  const CoefficientTensors c = scheduler.at(t);
  return 1 / sqrt(square(c.alpha) + square(c.sigma));
}

Tensor from_output(const Tensor& output, const DenoisingDescription& description, Prediction to, const Tensor& x_t,
                   const Tensor& t, const Scheduler& scheduler) {
  const std::string& target = description.target;
  if (target == "score") return convert(-output, Prediction::kNoise, to, x_t, t, scheduler);
  const Prediction from = target == "noise" ? Prediction::kNoise : target == "v" ? Prediction::kV : Prediction::kData;
  return convert(output, from, to, x_t, t, scheduler);
}

}  // namespace rill::flow
