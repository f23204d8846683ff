// A quantity estimated from random samples, with its standard error.
#pragma once

#include <span>

#include "autodiff/tensor.hpp"

namespace rill::flow {

/// An estimate, and its standard deviation over repeated draws of the samples.
struct Estimate {
  double value;
  double standard_error;
};

/// The mean of independent terms:   m = 1/n sum_i x_i,   standard error = sqrt(sum_i (x_i - m)^2 / (n (n - 1)))
/// The standard error is infinite for a single term or an infinite mean. Throws std::invalid_argument for no terms.
Estimate mean_of(std::span<const double> terms);
Estimate mean_of(const Tensor& terms);

/// The fraction p of ones among zeros and ones, with the binomial standard error sqrt(p (1 - p) / n).
/// Throws std::invalid_argument for no numbers.
Estimate share_of(const Tensor& zeros_and_ones);

}  // namespace rill::flow
