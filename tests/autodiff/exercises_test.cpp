// The solutions of the exercises in docs/autodiff.md, by the numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"

namespace rill {
namespace {

double largest(const Tensor& x) { return static_cast<double>(max(abs(x)).item()); }

Tensor leaf(const Shape& shape, std::uint64_t seed) {
  Generator rng(seed);
  return Tensor::randn(shape, rng).set_requires_grad();
}

TEST(AutodiffExercises, LogsumexpHasTheGradientSoftmax) {
  const Tensor x = leaf({5}, 1);
  EXPECT_LT(largest(grad(logsumexp(x), x) - softmax(x)), 1e-6);
}

TEST(AutodiffExercises, TheGradientsOfAProductAreProducts) {
  const Tensor a = leaf({2, 3}, 2), b = leaf({3, 4}, 3);
  Generator rng(4);
  const Tensor gy = Tensor::randn({2, 4}, rng);
  const std::vector<Tensor> gradients = grad({matmul(a, b)}, {a, b}, {}, {gy});
  EXPECT_LT(largest(gradients[0] - matmul(gy, transpose(b))), 1e-5);
  EXPECT_LT(largest(gradients[1] - matmul(transpose(a), gy)), 1e-5);
}

TEST(AutodiffExercises, UsesAddUp) {
  // At the node of x: each use brings gy x, and they are added before the node is visited.
  const Tensor x = leaf({4}, 5);
  EXPECT_LT(largest(grad(sum(x * x), x) - 2 * x), 1e-6);
}

TEST(AutodiffExercises, ThroughTheStepsOfASolver) {
  // Euler's method on u = -x: x_n = (1 - h)^n x_0. The walk needs what each step's ops saved.
  const Tensor x_0 = leaf({1}, 6);
  Tensor x = x_0;
  for (int step = 0; step < 10; ++step) x = x + 0.1 * (-x);
  EXPECT_NEAR(static_cast<double>(grad(x, x_0).item()), std::pow(0.9, 10), 1e-5);
}

TEST(AutodiffExercises, AHessianTimesAVector) {
  const Tensor x = leaf({4}, 7);
  Generator rng(8);
  const Tensor v = Tensor::randn({4}, rng);
  const Tensor gradient = grad(sum(x * x * x), x, {.create_graph = true});
  EXPECT_LT(largest(grad(sum(gradient * v), x) - 6 * x * v), 1e-4);
}

TEST(AutodiffExercises, TheTraceTwoWays) {
  Generator rng(9);
  const Tensor a = Tensor::randn({3, 3}, rng), x = leaf({1, 3}, 10), y = matmul(x, transpose(a));
  double trace = 0, by_coordinates = 0;
  for (Index i = 0; i < 3; ++i) {
    trace += static_cast<double>(a.data()[4 * i]);
    const Tensor row = grad(slice(y, 1, i, i + 1), x, {.retain_graph = true});
    by_coordinates += static_cast<double>(row.data()[i]);
  }
  EXPECT_NEAR(by_coordinates, trace, 1e-5);
  constexpr Index kProbes = 20'000;
  const Tensor z = 2 * less(Tensor::rand({kProbes, 3}, rng), Tensor::scalar(0.5)) - 1;
  const double estimate = static_cast<double>(mean(sum(z * matmul(z, transpose(a)), {.axes = {1}})).item());
  EXPECT_NEAR(estimate, trace, 0.1);
}

}  // namespace
}  // namespace rill
