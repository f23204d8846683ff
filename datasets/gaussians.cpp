#include "datasets/gaussians.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::datasets {
namespace {

const double kLogTwoPi = std::log(2 * std::numbers::pi);

bool positive(double value) { return value > 0 && std::isfinite(value); }

Tensor from_doubles(const std::vector<double>& values, const Shape& shape) {
  const std::vector<Real> reals(values.begin(), values.end());
  return Tensor::from(reals, shape);
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Normal

Normal::Normal(Index dimension, double mean, double deviation)
    : dimension_(dimension), mean_(mean), deviation_(deviation) {
  require(dimension >= 1, "normal: dimension ", dimension, ", expected at least 1");
  require(std::isfinite(mean), "normal: mean ", mean, ", expected a finite number");
  require(positive(deviation), "normal: standard deviation ", deviation, ", expected a positive number");
}

Tensor Normal::sample(Index n, Generator& rng) const {
  return affine(Tensor::randn({n, dimension_}, rng), deviation_, mean_);
}

std::optional<Tensor> Normal::log_density(const Tensor& x) const {
  require_points(x);
  const double d = static_cast<double>(dimension_);
  const Tensor z = (x - mean_) / deviation_;
  return -0.5 * sum(square(z), {.axes = {1}}) - d * (std::log(deviation_) + kLogTwoPi / 2);
}

std::optional<double> Normal::entropy() const {
  return static_cast<double>(dimension_) * (std::log(deviation_) + (kLogTwoPi + 1) / 2);
}

std::vector<Mode> Normal::modes() const {
  return {{1, std::vector<double>(static_cast<std::size_t>(dimension_), mean_)}};
}

// ---------------------------------------------------------------------------------------------------------------------
// Mixtures

GaussianMixture::GaussianMixture(std::vector<double> weights, Tensor means, std::vector<double> deviations,
                                 std::string name)
    : name_(std::move(name)), weights_(std::move(weights)), means_(std::move(means)) {
  require(means_.rank() == 2 && means_.dim(0) >= 1 && means_.dim(1) >= 1, name_,
          ": expected means of shape [K, d], got ", means_.shape());
  const std::size_t k = static_cast<std::size_t>(means_.dim(0));
  require(weights_.size() == k && deviations.size() == k, name_, ": ", k, " means, ", weights_.size(), " weights and ",
          deviations.size(), " standard deviations, expected as many of each");
  require(std::all_of(weights_.begin(), weights_.end(), positive), name_, ": the weights must be positive numbers");
  require(std::all_of(deviations.begin(), deviations.end(), positive), name_,
          ": the standard deviations must be positive numbers");

  const double total = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  const double d = static_cast<double>(dimension());
  std::vector<double> scale(k), shift(k);
  for (std::size_t i = 0; i < k; ++i) {
    weights_[i] /= total;
    scale[i] = -0.5 / (deviations[i] * deviations[i]);
    shift[i] = std::log(weights_[i]) - d * (std::log(deviations[i]) + kLogTwoPi / 2);
  }
  columns_ = transpose(means_);
  deviations_ = from_doubles(deviations, {means_.dim(0), 1});
  scale_ = from_doubles(scale, {means_.dim(0)});
  shift_ = from_doubles(shift, {means_.dim(0)});
}

Tensor GaussianMixture::sample(Index n, Generator& rng) const {
  std::vector<double> cumulative(weights_.size());
  std::partial_sum(weights_.begin(), weights_.end(), cumulative.begin());
  cumulative.back() = 1;  // despite rounding

  const Tensor u = Tensor::rand({n}, rng);
  std::vector<Index> component(static_cast<std::size_t>(n));
  std::transform(u.data(), u.data() + n, component.begin(), [&](double value) {
    return std::upper_bound(cumulative.begin(), cumulative.end(), value) - cumulative.begin();
  });
  const Indices rows(std::move(component));
  return gather_rows(means_, rows) + gather_rows(deviations_, rows) * Tensor::randn({n, dimension()}, rng);
}

std::optional<Tensor> GaussianMixture::log_density(const Tensor& x) const {
  require_points(x);
  const Index n = x.dim(0), k = means_.dim(0);
  const Index chunk = std::max<Index>(1, (Index{1} << 15) / k);  // points at a time: [chunk, K] stays in the cache
  std::vector<Tensor> parts;
  for (Index begin = 0; begin < n; begin += chunk) {
    const Tensor rows = slice(x, 0, begin, std::min(n, begin + chunk));
    Tensor squared;  // |x - mean_k|^2, [chunk, K], one coordinate after the other
    for (Index j = 0; j < dimension(); ++j) {
      const Tensor term = square(slice(rows, 1, j, j + 1) - slice(columns_, 0, j, j + 1));
      squared = j == 0 ? term : squared + term;
    }
    parts.push_back(logsumexp(squared * scale_ + shift_));
  }
  return parts.empty() ? Tensor::empty({0}) : concatenate(parts, 0);
}

std::vector<Mode> GaussianMixture::modes() const {
  std::vector<Mode> result;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const Real* mean = means_.data() + static_cast<Index>(i) * dimension();
    result.push_back({weights_[i], std::vector<double>(mean, mean + dimension())});
  }
  return result;
}

// ---------------------------------------------------------------------------------------------------------------------
// Presets

std::unique_ptr<Density> two_modes(double weight, double distance, double deviation) {
  require(0 < weight && weight < 1, "two-modes: weight ", weight, ", expected a share between 0 and 1");
  require(std::isfinite(distance), "two-modes: distance ", distance, ", expected a finite number");
  const Tensor means = from_doubles({-distance / 2, 0, distance / 2, 0}, {2, 2});
  return std::make_unique<GaussianMixture>(std::vector{weight, 1 - weight}, means, std::vector{deviation, deviation},
                                           "two-modes");
}

std::unique_ptr<Density> gaussians_on_circle(Index count, double radius, double deviation) {
  require(count >= 1, "8gaussians: ", count, " Gaussians, expected at least 1");
  require(std::isfinite(radius), "8gaussians: radius ", radius, ", expected a finite number");
  std::vector<double> means;
  for (Index i = 0; i < count; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(count);
    means.push_back(radius * std::cos(angle));
    means.push_back(radius * std::sin(angle));
  }
  const std::vector<double> ones(static_cast<std::size_t>(count), 1);
  return std::make_unique<GaussianMixture>(ones, from_doubles(means, {count, 2}),
                                           std::vector<double>(static_cast<std::size_t>(count), deviation),
                                           "8gaussians");
}

}  // namespace rill::datasets
