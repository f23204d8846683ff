#include "flow/metrics/dequantization.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::flow {

Tensor dequantize(const Tensor& levels, Generator& rng) {
  constexpr double kCount = static_cast<double>(kLevels);
  const Tensor u = Tensor::rand(levels.shape(), rng);
  Tensor y = Tensor::empty(levels.shape());
  for (Index i = 0; i < levels.size(); ++i) {
    const double k = static_cast<double>(levels.data()[i]);
    require(k == std::floor(k) && 0 <= k && k < kCount, "dequantize: expected integers from 0 to ", kLevels - 1,
            ", found ", k, "; levels_of() turns pixels in [-1, 1] into levels");
    y.data()[i] = static_cast<Real>(2 * (k + static_cast<double>(u.data()[i])) / kCount - 1);
  }
  return y;
}

Tensor levels_of(const Tensor& pixels) {
  constexpr double kHighest = static_cast<double>(kLevels - 1);
  Tensor levels = Tensor::empty(pixels.shape());
  for (Index i = 0; i < pixels.size(); ++i) {
    levels.data()[i] = static_cast<Real>(std::round((static_cast<double>(pixels.data()[i]) + 1) / 2 * kHighest));
  }
  return levels;
}

BitsPerDimension bits_per_dimension(const LogDensity& log_density, const Tensor& levels, Index draws, Generator& rng) {
  require(draws >= 1, "bits per dimension: expected at least 1 draw, got ", draws);
  require(levels.rank() >= 2 && levels.size() > 0, "bits per dimension: expected images [N, ...], N > 0, got ",
          levels.shape());
  const Index images = levels.dim(0);
  const double dimension = static_cast<double>(levels.size() / images);
  const auto count = static_cast<std::size_t>(images);
  std::vector<double> largest(count, -std::numeric_limits<double>::infinity());
  std::vector<double> total(count, 0);  // sum_s p(y_s) / e^largest
  for (Index s = 0; s < draws; ++s) {
    const Tensor log_p = log_density(dequantize(levels, rng));
    require(log_p.shape() == Shape{images}, "bits per dimension: the log density of ", images, " images has shape ",
            log_p.shape(), ", expected [", images, "]");
    for (std::size_t n = 0; n < count; ++n) {
      const double value = static_cast<double>(log_p.data()[static_cast<Index>(n)]);
      const double above = std::max(largest[n], value);
      if (above == -std::numeric_limits<double>::infinity()) continue;  // no density so far
      total[n] = total[n] * std::exp(largest[n] - above) + std::exp(value - above);
      largest[n] = above;
    }
  }

  Tensor rounded = Tensor::empty({images});
  std::vector<double> bits(count);
  for (std::size_t n = 0; n < count; ++n) {
    const double log_mean = largest[n] + std::log(total[n] / static_cast<double>(draws));
    const double log_probability = log_mean + dimension * std::log(2 / static_cast<double>(kLevels));
    bits[n] = -log_probability / (dimension * std::numbers::ln2);
    rounded.data()[n] = static_cast<Real>(bits[n]);
  }
  return {.bits = rounded, .average = mean_of(bits)};
}

}  // namespace rill::flow
