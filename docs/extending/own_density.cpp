// A density of your own: a curve with noise, whose log density follows.
#include <cmath>
#include <cstdio>
#include <numbers>
#include <string>

#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "datasets/noisy_curve.hpp"

using namespace rill;

/// Bernoulli's lemniscate, a figure eight:   c(u) = 2 (cos a, sin a cos a) / (1 + sin^2 a),   a = 2 pi u
class Lemniscate final : public datasets::NoisyCurve {
 public:
  explicit Lemniscate(double noise = 0.1) : NoisyCurve("lemniscate", noise, /*pieces=*/1) {}
  std::string name() const override { return "lemniscate"; }

 private:
  Tensor curve(const Tensor& u) const override {
    const Tensor angle = 2 * std::numbers::pi * u, s = sin(angle), c = cos(angle);
    const Tensor size = 2 / (1 + square(s));
    return datasets::columns(size * c, size * s * c);
  }
};

int main() {
  const Lemniscate density;
  // p integrates to 1: the mean of p over a square that holds nearly all of it, times the square's area.
  Generator rng(/*seed=*/0);
  constexpr Index kPoints = 200'000;
  constexpr double kSide = 6;
  const Tensor square = kSide * (Tensor::rand({kPoints, 2}, rng) - 0.5);
  const double integral = kSide * kSide * mean(exp(*density.log_density(square))).item();

  // E[-ln p], of samples, is at most the entropy of a normal distribution with their covariance.
  const Tensor x = density.sample(20'000, rng);
  const double entropy = -mean(*density.log_density(x)).item();
  std::printf("integral %.3f, entropy %.3f nats\n", integral, entropy);
  return std::abs(integral - 1) < 0.02 && entropy < 2.9 ? 0 : 1;
}
