#include "tests/gradcheck.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"

namespace rill::testing {
namespace {

// The step balances truncation (h^2) against rounding (epsilon / h).
constexpr double kStep = sizeof(Real) == 8 ? 1e-5 : 1e-2;
constexpr double kTolerance = sizeof(Real) == 8 ? 1e-6 : 3e-2;

std::vector<Tensor> leaves(const std::vector<Tensor>& inputs) {
  std::vector<Tensor> result;
  for (const Tensor& x : inputs) result.push_back(x.clone().set_requires_grad());
  return result;
}

double inner(const Tensor& a, const Tensor& b) {
  double total = 0;
  for (Index i = 0; i < a.size(); ++i) total += static_cast<double>(a.data()[i]) * static_cast<double>(b.data()[i]);
  return total;
}

// f's vector-Jacobian products with a fixed v, one after the other in one flat tensor, still in the graph.
Tensor flat_gradients(const TensorFunction& f, const std::vector<Tensor>& x) {
  const Tensor y = f(x);
  if (!y.requires_grad()) return Tensor::zeros({1});
  Generator rng(7);
  const Tensor v = Tensor::randn(y.shape(), rng);
  std::vector<Tensor> flat;
  for (const Tensor& g : grad({y}, x, {.create_graph = true}, {v})) flat.push_back(reshape(g, {-1}));
  return concatenate(flat, 0);
}

}  // namespace

double gradient_error(const TensorFunction& f, const std::vector<Tensor>& inputs) {
  const std::vector<Tensor> x = leaves(inputs);
  const Tensor y = f(x);
  Generator rng(11);
  const Tensor v = Tensor::randn(y.shape(), rng);
  std::vector<Tensor> gradients;
  if (y.requires_grad()) {
    gradients = grad({y}, x, {}, {v});
  } else {
    for (const Tensor& input : x) gradients.push_back(Tensor::zeros(input.shape()));
  }

  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(gradients[i].shape(), x[i].shape());
    double scale = 1, error = 0;
    for (Index j = 0; j < x[i].size(); ++j) {
      Real& number = const_cast<Real&>(x[i].data()[j]);
      const Real original = number;
      number = static_cast<Real>(original + kStep);
      const double above = inner(v, f(x)), top = number;
      number = static_cast<Real>(original - kStep);
      const double below = inner(v, f(x)), bottom = number;
      number = original;
      const double expected = (above - below) / (top - bottom);
      scale = std::max(scale, std::abs(expected));
      // A NaN must not pass for a small error.
      const double difference = std::abs(static_cast<double>(gradients[i].data()[j]) - expected);
      error = difference <= error ? error : difference;
    }
    worst = error / scale <= worst ? worst : error / scale;
  }
  return worst;
}

void expect_gradients(const TensorFunction& f, const std::vector<Tensor>& inputs) {
  EXPECT_LT(gradient_error(f, inputs), kTolerance) << "first derivative";
  const TensorFunction derivative = [&f](const std::vector<Tensor>& x) { return flat_gradients(f, x); };
  EXPECT_LT(gradient_error(derivative, inputs), kTolerance) << "second derivative";
}

}  // namespace rill::testing
