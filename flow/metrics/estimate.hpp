// A number measured on random samples, and how far off it may be.
#pragma once

#include <span>

#include "autodiff/tensor.hpp"

namespace rill::flow {

/// What samples say of a quantity, and the standard deviation that this has over repeated draws of the samples.
struct Estimate {
  double value;
  double standard_error;
};

/// The mean of independent terms:   m = 1/n sum_i x_i,   standard error = sqrt(sum_i (x_i - m)^2 / (n (n - 1)))
/// The error of a single term, and of an infinite mean, is infinite. Throws std::invalid_argument for no terms.
Estimate mean_of(std::span<const double> terms);
Estimate mean_of(const Tensor& terms);

/// The share p of ones among zeros and ones, with the binomial standard error sqrt(p (1 - p) / n).
/// Throws std::invalid_argument for no numbers.
Estimate share_of(const Tensor& zeros_and_ones);

}  // namespace rill::flow
