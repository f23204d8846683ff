// The parts of the evidence lower bound: how likely a decoder finds the data, and how far the encoder is from the
// prior.
#pragma once

#include "autodiff/tensor.hpp"

namespace rill::flow {

/// ln N(x; mean, e^(2 log_deviation)) summed over coordinates.   x, mean: [N, D], log_deviation: broadcasts -> [N]
Tensor gaussian_log_likelihood(const Tensor& x, const Tensor& mean, const Tensor& log_deviation);

/// sum_d p ln q + (1 - p) ln (1 - q), q = sigmoid(logits), for black (p = 0) and white (1) pixels. A gray p in between
/// counts as black and white in that proportion: what is maximized is then not the likelihood of gray pixels.
/// p, logits: [N, D] -> [N]
Tensor bernoulli_log_likelihood(const Tensor& p, const Tensor& logits);

/// ln P(level of x) summed over pixels, for a logistic distribution that is cut into 256 levels:
///   P = F(x + 1/255) - F(x - 1/255), F(y) = sigmoid((y - mean) / e^log_scale), with open ends at levels 0 and 255
/// (Salimans et al., "PixelCNN++", 2017, equation 2). log_scale is at least -7.
///   x: pixels in [-1, 1], which are rounded to levels (flow/metrics/dequantization.hpp); mean, log_scale: [N, D] ->
///   [N]
Tensor logistic_log_likelihood(const Tensor& x, const Tensor& mean, const Tensor& log_scale);

/// KL(N(mean, e^(2 log_deviation)) || N(0, 1)) = (mean^2 + e^(2 l) - 1) / 2 - l of each coordinate.   [N, L] -> [N, L]
/// (Kingma and Welling, "Auto-Encoding Variational Bayes", 2014, appendix B.)
Tensor gaussian_kl(const Tensor& mean, const Tensor& log_deviation);

}  // namespace rill::flow
