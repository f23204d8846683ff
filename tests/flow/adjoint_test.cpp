// Gradients of a solve: through its steps, by the adjoint, and by finite differences.
#include "flow/solver/adjoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/memory.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "flow/path/path.hpp"
#include "flow/solver/adaptive.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
constexpr bool kDouble = sizeof(Real) == 8;

// A small network of x and t:   u = tanh([x, t] w_1^T + b) w_2^T, w_1: [H, D + 1], b: [H], w_2: [D, H]
struct Network {
  std::vector<Tensor> parameters;

  Network() {
    Generator rng(3);
    parameters = {Tensor::randn({8, 3}, rng), 0.5 * Tensor::randn({8}, rng), 0.4 * Tensor::randn({2, 8}, rng)};
    for (Tensor& parameter : parameters) parameter = parameter.detach().set_requires_grad();
  }
  Velocity velocity() const {
    return [p = parameters](const Tensor& x, const Tensor& t) {
      return linear(tanh(linear(concatenate({x, per_sample(t, 2)}, 1), p[0], p[1])), p[2]);
    };
  }
};

Tensor points() {
  Generator rng(4);
  return Tensor::randn({5, 2}, rng);
}

AdaptiveOptions tight(bool per_sample = false) {
  AdaptiveOptions options{.per_sample = per_sample};
  options.tolerance = {.rtol = kDouble ? 1e-10 : 1e-6, .atol = kDouble ? 1e-10 : 1e-6};
  return options;
}

// The gradients of a function of the end points with respect to x and the parameters.
template <class Solve>
std::vector<Tensor> gradients(const Network& network, const Solve& solve) {
  const Tensor x = points().set_requires_grad();
  std::vector<Tensor> inputs = {x};
  inputs.insert(inputs.end(), network.parameters.begin(), network.parameters.end());
  return grad({sum(sin(2 * solve(x)))}, inputs);
}

void expect_close(const std::vector<Tensor>& a, const std::vector<Tensor>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].shape(), b[i].shape());
    const double size = static_cast<double>(max(abs(a[i])).item());
    EXPECT_GT(size, 1e-2);
    EXPECT_LT(static_cast<double>(max(abs(a[i] - b[i])).item()), tolerance * size) << "input " << i;
  }
}

TEST(Adjoint, AgreesWithBackpropagationThroughTheSteps) {
  const Network network;
  for (const std::string& name : solver_names(true)) {
    if (find_tableau(name).order < 5) continue;  // they need very many steps
    for (const bool backward : {false, true}) {
      SCOPED_TRACE(name);
      AdaptiveOptions options = tight();
      options.method = &find_tableau(name);
      const double start = backward ? 1 : 0, end = 1 - start;
      const std::vector<Tensor> through = gradients(network, [&](const Tensor& x) {
        return solve_adaptive(network.velocity(), x, {start, end}, options).x;
      });
      const std::vector<Tensor> adjoint = gradients(network, [&](const Tensor& x) {
        return solve_adjoint(network.velocity(), network.parameters, x, start, end, options);
      });
      expect_close(through, adjoint, kDouble ? 1e-8 : 1e-3);
    }
  }
}

TEST(Adjoint, ValueIsTheSolvers) {
  const Network network;
  const Tensor a = solve_adaptive(network.velocity(), points(), {0, 1}, tight()).x;
  const Tensor b = solve_adjoint(network.velocity(), network.parameters, points(), 0, 1, tight());
  EXPECT_EQ(a.to_vector(), b.to_vector());
}

TEST(Adjoint, PerSampleStepsBackpropagateToo) {
  const Network network;
  const auto through = [&](bool per_sample) {
    return gradients(network, [&](const Tensor& x) {
      return solve_adaptive(network.velocity(), x, {0, 1}, tight(per_sample)).x;
    });
  };
  expect_close(through(false), through(true), kDouble ? 1e-8 : 1e-3);
  // Loose enough for rejected steps, where some rows move and others stay.
  AdaptiveOptions loose{.first_step = 3, .per_sample = true};
  loose.tolerance = {.rtol = 1e-5, .atol = 1e-5};
  EXPECT_GT(solve_adaptive(network.velocity(), points(), {0, 3}, loose).rejected, 0);
  expect_close(gradients(network,
                         [&](const Tensor& x) {
                           return solve_adaptive(network.velocity(), x, {0, 3}, loose).x;
                         }),
               gradients(network,
                         [&](const Tensor& x) {
                           return solve_adaptive(network.velocity(), x, {0, 3}, tight()).x;
                         }),
               2e-2);
}

TEST(Adjoint, AgreesWithDifferences) {
  const Network network;
  const std::vector<Tensor> inputs = {points(), network.parameters[0].detach(), network.parameters[1].detach(),
                                      network.parameters[2].detach()};
  const auto with = [&](bool adjoint) {
    return testing::gradient_error(
        [&](const std::vector<Tensor>& in) {
          const Velocity u = [p = in](const Tensor& x, const Tensor& t) {
            return linear(tanh(linear(concatenate({x, per_sample(t, 2)}, 1), p[1], p[2])), p[3]);
          };
          // Finite differences need smooth steps: the tolerance must be far below their size.
          if (adjoint) return solve_adjoint(u, {in.begin() + 1, in.end()}, in[0], 0, 1, tight());
          return solve_adaptive(u, in[0], {0, 1}, tight()).x;
        },
        inputs);
  };
  EXPECT_LT(with(true), kDouble ? 1e-5 : 3e-2);
  EXPECT_LT(with(false), kDouble ? 1e-5 : 3e-2);
}

TEST(Adjoint, BringsGradientsToTheParametersByBackward) {
  // x' = w x, x_1 = e^w x_0: the gradient of x_1 is e^w for x_0 and x_1 for w; twice the use, twice the gradient.
  const Tensor w = Tensor::full({1}, 0.4).set_requires_grad();
  const Tensor x = Tensor::full({1, 1}, 2).set_requires_grad();
  const Tensor unused = Tensor::ones({3}).set_requires_grad();
  const Velocity u = [&](const Tensor& y, const Tensor&) { return w * y; };
  for (int i = 0; i < 2; ++i) sum(solve_adjoint(u, {w, unused}, x, 0, 1, tight())).backward();
  EXPECT_NEAR(static_cast<double>(x.grad().item()), 2 * std::exp(0.4), 1e-4);
  EXPECT_NEAR(static_cast<double>(w.grad().item()), 2 * 2 * std::exp(0.4), 1e-4);
  EXPECT_EQ(unused.grad().to_vector(), std::vector<Real>(3, 0));
}

TEST(Adjoint, AParameterListedTwiceHasOneGradient) {
  const Network once, twice;
  const auto gradient = [](const Network& network, std::vector<Tensor> listed) {
    sum(sin(2 * solve_adjoint(network.velocity(), listed, points(), 0, 1, tight()))).backward();
    return network.parameters[2].grad().to_vector();
  };
  std::vector<Tensor> listed = twice.parameters;
  listed.insert(listed.end(), twice.parameters.begin(), twice.parameters.end());
  EXPECT_EQ(gradient(twice, listed), gradient(once, once.parameters));
}

TEST(Adjoint, ParametersMayBeUsedElsewhereToo) {
  // y = 3 w + x_1 w with x_1 = e^w: dy/dw = 3 + e^w + w e^w. By backward() and by grad(), in the middle of which the
  // adjoint runs backward passes of its own that also end at w.
  const Tensor w = Tensor::full({1, 1}, 0.4).set_requires_grad();
  const Velocity u = [&](const Tensor& y, const Tensor&) { return w * y; };
  const Tensor y = sum(3 * w + solve_adjoint(u, {w}, Tensor::ones({1, 1}), 0, 1, tight()) * w);
  const double expected = 3 + 1.4 * std::exp(0.4);
  EXPECT_NEAR(static_cast<double>(grad(y, w, {.retain_graph = true}).item()), expected, 1e-4);
  y.backward();
  EXPECT_NEAR(static_cast<double>(w.grad().item()), expected, 1e-4);
}

TEST(Adjoint, MemoryDoesNotGrowWithTheSteps) {
  // Counts the blocks that the two graphs hold between forward and backward.
  const Network network;
  const Tensor x = Tensor::ones({2000, 2}).set_requires_grad();
  const auto held = [&](double end) {
    memory::release_unused();
    const std::size_t before = memory::statistics().bytes;
    const Tensor y = solve_adjoint(network.velocity(), network.parameters, x, 0, end, tight());
    memory::release_unused();
    return memory::statistics().bytes - before;
  };
  held(1);  // whatever is allocated once
  EXPECT_LE(held(8), held(1));
}

TEST(Adjoint, TheParametersGradientDoesNotShortenTheSteps) {
  // u = p cos 200 t - x at p = 0: x and a are smooth, but dg/dt = -a cos 200 t swings through 64 half periods, which
  // would take hundreds of evaluations to follow.
  const Tensor p = Tensor::zeros({1, 1}).set_requires_grad();
  Index calls = 0;
  const Velocity u = [&](const Tensor& x, const Tensor& t) {
    ++calls;
    return p * cos(200 * per_sample(t, 2)) - x;
  };
  const Tensor y = sum(solve_adjoint(u, {p}, Tensor::ones({1, 1}), 0, 1));
  calls = 0;
  grad(y, p);
  EXPECT_GT(calls, 0);
  EXPECT_LT(calls, 60);
}

TEST(Adjoint, MisuseIsExplained) {
  const Network network;
  const Tensor x = points().set_requires_grad();
  EXPECT_THAT(misuse([&] { solve_adjoint(network.velocity(), {Tensor::ones({3})}, x, 0, 1); }),
              HasSubstr("parameter 0 of shape [3] does not require a gradient"));
  AdaptiveOptions options;
  options.event = Event{[](const Tensor& y, const Tensor&) { return slice(y, 1, 0, 1); }};
  EXPECT_THAT(misuse([&] { solve_adjoint(network.velocity(), {}, x, 0, 1, options); }),
              HasSubstr("use solve_adaptive"));
  const Tensor y = sum(square(solve_adjoint(network.velocity(), network.parameters, x, 0, 1)));
  EXPECT_THAT(misuse([&] { grad(y, x, {.create_graph = true}); }), HasSubstr("cannot be differentiated again"));
}

}  // namespace
}  // namespace rill::flow
