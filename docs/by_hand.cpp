// Flow matching by hand: data, network, loss, Adam and Euler's method, written with tensors and their ops alone.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <utility>
#include <vector>

#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"

using namespace rill;

constexpr Index kBatch = 256, kHidden = 64, kSteps = 4000;

// Two interleaved half circles of radius 2 around (-1, -0.5) and (1, 0.5), with a little noise: [n, 2].
Tensor moons(Index n, Generator& rng) {
  const Tensor angle = std::numbers::pi * Tensor::rand({n, 1}, rng);
  const Tensor side = 2 * less(Tensor::rand({n, 1}, rng), Tensor::scalar(0.5)) - 1;  // 1 for the upper one, else -1
  const Tensor points = concatenate({side * cos(angle) - 0.5 * side, side * sin(angle) - 0.25 * side}, 1);
  return 2 * points + 0.1 * Tensor::randn({n, 2}, rng);
}

// A perceptron of a point and a time, v(x, t): three matrices and three rows of biases.
Tensor velocity(const std::vector<Tensor>& p, const Tensor& x, const Tensor& t) {
  Tensor h = concatenate({x, t}, 1);
  h = silu(matmul(h, p[0]) + p[1]);
  h = silu(matmul(h, p[2]) + p[3]);
  return matmul(h, p[4]) + p[5];
}

int main() {
  Generator rng(/*seed=*/0);
  std::vector<Tensor> parameters;
  for (const auto& [in, out] : {std::pair{Index{3}, kHidden}, {kHidden, kHidden}, {kHidden, Index{2}}}) {
    parameters.push_back((Tensor::randn({in, out}, rng) / std::sqrt(static_cast<double>(in))).set_requires_grad());
    parameters.push_back(Tensor::zeros({1, out}).set_requires_grad());
  }
  std::vector<Tensor> mean_of(6), square_of(6);  // Adam's running means of gradients and of their squares
  for (std::size_t i = 0; i < 6; ++i) mean_of[i] = square_of[i] = Tensor::zeros(parameters[i].shape());

  for (Index step = 1; step <= kSteps; ++step) {
    // The loss: at a random place of the straight line from noise x_0 to data x_1, the velocity should be x_1 - x_0.
    const Tensor x_1 = moons(kBatch, rng), x_0 = Tensor::randn({kBatch, 2}, rng), t = Tensor::rand({kBatch, 1}, rng);
    const Tensor x_t = (1 - t) * x_0 + t * x_1;
    const Tensor loss = mean(square(velocity(parameters, x_t, t) - (x_1 - x_0)));
    const std::vector<Tensor> gradients = grad({loss}, parameters);

    const NoGrad no_grad;  // what follows is not part of the loss
    const double rate = 0.005 * 0.5 * (1 + std::cos(std::numbers::pi * static_cast<double>(step) / kSteps));
    for (std::size_t i = 0; i < 6; ++i) {
      mean_of[i] = 0.9 * mean_of[i] + 0.1 * gradients[i];
      square_of[i] = 0.999 * square_of[i] + 0.001 * square(gradients[i]);
      const Tensor mean_hat = mean_of[i] / (1 - std::pow(0.9, step)),
                   square_hat = square_of[i] / (1 - std::pow(0.999, step));
      parameters[i] = (parameters[i] - rate * mean_hat / (sqrt(square_hat) + 1e-8)).set_requires_grad();
    }
    if (step % 1000 == 0) std::printf("step %d  loss %.3f\n", static_cast<int>(step), static_cast<double>(loss.item()));
  }

  // Sampling: from noise, 100 steps of Euler's method along the velocity.
  const NoGrad no_grad;
  Tensor x = Tensor::randn({1000, 2}, rng);
  for (int i = 0; i < 100; ++i) x = x + 0.01 * velocity(parameters, x, Tensor::full({1000, 1}, 0.01 * i));

  // How many end within 0.4 of a half circle? That is the distance from its circle, on its side of the center.
  int near = 0;
  for (Index i = 0; i < 1000; ++i) {
    const auto distance = [&](double side) {
      const double dx = x.data()[2 * i] + side, dy = x.data()[2 * i + 1] + 0.5 * side;
      return side * dy > -0.2 ? std::abs(std::hypot(dx, dy) - 2) : 9;
    };
    near += std::min(distance(1), distance(-1)) < 0.4 ? 1 : 0;
  }
  std::printf("%.1f %% of the samples are near the moons\n", near / 10.0);
  return near > 800 ? 0 : 1;
}
