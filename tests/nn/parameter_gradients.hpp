// Gradients of a module's parameters against central differences.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "nn/module.hpp"

namespace rill::nn {

/// Gives every parameter normal numbers of deviation `scale`, so that none starts at zero and hides a gradient.
inline void randomize_parameters(const Module& module, double scale, std::uint64_t seed) {
  Generator rng(seed);
  for (Tensor parameter : module.parameters()) {
    rng.normal(parameter.size(), parameter.data());
    for (Index i = 0; i < parameter.size(); ++i) parameter.data()[i] *= static_cast<Real>(scale);
  }
}

/// Expects backward() of sum(v f()), v fixed and random, to give every parameter the gradient that central differences
/// show. Errors are relative to the parameter's largest gradient, or to 1 where that is less.
inline void expect_parameter_gradients(Module& module, const std::function<Tensor()>& f) {
  constexpr double kStep = sizeof(Real) == 8 ? 1e-5 : 1e-2;       // balances truncation and rounding
  constexpr double kTolerance = sizeof(Real) == 8 ? 1e-6 : 3e-2;  // what differences of that step can show
  Generator rng(5);
  const Tensor v = Tensor::randn(f().shape(), rng);
  const auto value = [&] {
    const NoGrad no_grad;
    return static_cast<double>(sum(v * f()).item());
  };
  module.clear_grad();
  sum(v * f()).backward();
  for (auto& [name, parameter] : module.named_parameters()) {
    ASSERT_TRUE(parameter.grad().defined()) << name;
    double scale = 1, error = 0;
    for (Index i = 0; i < parameter.size(); ++i) {
      Real& number = parameter.data()[i];
      const Real original = number;
      number = static_cast<Real>(original + kStep);
      const double above = value(), top = number;
      number = static_cast<Real>(original - kStep);
      const double expected = (above - value()) / (top - static_cast<double>(number));
      number = original;
      scale = std::max(scale, std::abs(expected));
      const double difference = std::abs(static_cast<double>(parameter.grad().data()[i]) - expected);
      error = difference <= error ? error : difference;  // a NaN must not pass for a small error
    }
    EXPECT_LT(error / scale, kTolerance) << name;
  }
}

}  // namespace rill::nn
