// Normal distributions and their mixtures.
#pragma once

#include <memory>
#include <vector>

#include "datasets/density.hpp"

namespace rill::datasets {

/// N(mean, deviation^2 I) in any dimension, the same mean along each axis:
///   ln p(x) = -sum_j (x_j - mean)^2 / (2 deviation^2) - d ln deviation - (d / 2) ln(2 pi)
///   entropy = d (ln deviation + ln(2 pi e) / 2)
class Normal final : public Density {
 public:
  /// Throws std::invalid_argument unless dimension >= 1 and deviation > 0.
  explicit Normal(Index dimension = 2, double mean = 0, double deviation = 1);

  std::string name() const override { return "normal"; }
  Index dimension() const override { return dimension_; }
  Tensor sample(Index n, Generator& rng) const override;
  std::optional<Tensor> log_density(const Tensor& x) const override;
  std::optional<double> entropy() const override;
  std::vector<Mode> modes() const override;

 private:
  Index dimension_;
  double mean_, deviation_;
};

/// sum_k weight_k N(mean_k, deviation_k^2 I).
class GaussianMixture final : public Density {
 public:
  /// means: [K, d]; weights and deviations: K numbers each. The weights are normalized to a sum of 1.
  /// Throws std::invalid_argument unless there are K >= 1 of each, all weights and deviations positive.
  GaussianMixture(std::vector<double> weights, Tensor means, std::vector<double> deviations,
                  std::string name = "gaussian-mixture");

  std::string name() const override { return name_; }
  Index dimension() const override { return means_.dim(1); }
  Tensor sample(Index n, Generator& rng) const override;
  /// ln p(x) = logsumexp_k (ln weight_k + ln N(x; mean_k, deviation_k^2 I))
  std::optional<Tensor> log_density(const Tensor& x) const override;
  std::vector<Mode> modes() const override;

 private:
  std::string name_;
  std::vector<double> weights_;
  Tensor means_;       // [K, d]
  Tensor columns_;     // [d, K]: the means again, transposed
  Tensor deviations_;  // [K, 1]
  Tensor scale_;       // [K]: -1 / (2 deviation_k^2)
  Tensor shift_;       // [K]: ln weight_k - d ln deviation_k - (d / 2) ln(2 pi)
};

/// Two distant modes of unequal weight, at (-distance / 2, 0) and (distance / 2, 0). The first has the weight `weight`.
std::unique_ptr<Density> two_modes(double weight = 0.1, double distance = 10, double deviation = 0.5);

/// `count` equal Gaussians at equal angles on a circle, the first at (radius, 0). The default, 8 of radius 5, is
/// torchcfm's; its deviation is 0.1^(1/4) (Tong et al. 2023, arXiv 2302.00482).
std::unique_ptr<Density> gaussians_on_circle(Index count = 8, double radius = 5, double deviation = 0.5623413251903491);

}  // namespace rill::datasets
