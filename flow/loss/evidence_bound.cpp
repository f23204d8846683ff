#include "flow/loss/evidence_bound.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autodiff/ops.hpp"

namespace rill::flow {

Tensor gaussian_log_likelihood(const Tensor& x, const Tensor& mean, const Tensor& log_deviation) {
  const Tensor z = (x - mean) * exp(-log_deviation);
  return sum(-0.5 * square(z) - log_deviation - std::log(2 * std::numbers::pi) / 2, {.axes = {1}});
}

// p l - softplus(l)
Tensor bernoulli_log_likelihood(const Tensor& p, const Tensor& logits) {
  return sum(p * logits - softplus(logits), {.axes = {1}});
}

Tensor logistic_log_likelihood(const Tensor& x, const Tensor& mean, const Tensor& log_scale) {
  constexpr double kHalf = 1.0 / 255, kLeastLogScale = -7;
  Tensor center = Tensor::empty(x.shape()), black = Tensor::empty(x.shape()), white = Tensor::empty(x.shape());
  for (Index i = 0; i < x.size(); ++i) {
    const double level = std::clamp(std::floor((static_cast<double>(x.data()[i]) + 1) * 128), 0.0, 255.0);
    center.data()[i] = static_cast<Real>(level / 127.5 - 1);
    black.data()[i] = level == 0 ? 1 : 0;
    white.data()[i] = level == 255 ? 1 : 0;
  }
  const Tensor l = maximum(log_scale, Tensor::scalar(kLeastLogScale)), inverse = exp(-l);
  const Tensor above = (center - mean + kHalf) * inverse, below = (center - mean - kHalf) * inverse;
  // sigmoid(a) - sigmoid(b) = sigmoid(a) (1 - sigmoid(b)) (1 - e^(b - a)), without cancellation
  const Tensor up_to = -softplus(-above), from = -softplus(below);
  const Tensor inner = up_to + from + log(1 - exp(-2 * kHalf * inverse));
  return sum(where(black, up_to, where(white, from, inner)), {.axes = {1}});
}

Tensor gaussian_kl(const Tensor& mean, const Tensor& log_deviation) {
  return 0.5 * (square(mean) + exp(2 * log_deviation) - 1) - log_deviation;
}

}  // namespace rill::flow
