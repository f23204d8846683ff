// Continuous flows by maximum likelihood: integrals and gradients that are known, and a model that learns by them.
#include "flow/model/continuous_flow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "flow/loss/likelihood_loss.hpp"
#include "flow/metrics/likelihood.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/parameter_gradients.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
constexpr bool kDouble = sizeof(Real) == 8;

double number(const Tensor& x, Index i = 0) { return static_cast<double>(x.data()[i]); }

// The solvers and gradients to try: equal steps, adaptive ones, the adjoint.
std::vector<ContinuousLikelihoodOptions> all_ways(bool integrals) {
  AdaptiveOptions tight;
  tight.tolerance = {.rtol = 1e-6, .atol = 1e-6};
  std::vector<ContinuousLikelihoodOptions> ways;
  for (const Tableau* method : kTableaus) {
    ways.push_back({FixedSteps{method, method->order == 1   ? 2000
                                       : method->order == 2 ? 100
                                                            : 20},
                    SolveGradients::kSteps, integrals, integrals});
    if (!method->adaptive()) continue;
    tight.method = method;
    for (const auto gradients : {SolveGradients::kSteps, SolveGradients::kAdjoint}) {
      if (method->order >= 3) ways.push_back({tight, gradients, integrals, integrals});
    }
  }
  return ways;
}

// u = A x with A = [[a, b], [-b, a]] turns and stretches: x_1 = e^A x_0 = e^a R(b) x_0, ln p changes by -tr A = -2 a,
// |u|^2 = (a^2 + b^2) |x|^2, |du/dx|_F^2 = 2 (a^2 + b^2).
TEST(ContinuousLikelihood, OfALinearFieldIsKnown) {
  const double a = 0.3, b = 1.1;
  const auto ra = static_cast<Real>(a), rb = static_cast<Real>(b);
  const Velocity u = [=](const Tensor& x, const Tensor&) { return matmul(x, Tensor::from({ra, -rb, rb, ra}, {2, 2})); };
  const Tensor x_1 = Tensor::from({1, 0.5, -0.3, 2}, {2, 2});
  Generator rng(3);
  // For this A, e^T A e = a |e|^2, and |e^T A|^2 = (a^2 + b^2) |e|^2: Rademacher probes have no variance.
  const std::vector<std::vector<Tensor>> traces = {{}, draw_probes(Trace::kRademacher, 2, x_1.shape(), rng)};
  for (const ContinuousLikelihoodOptions& options : all_ways(true)) {
    for (const std::vector<Tensor>& probes : traces) {
      const ContinuousLikelihood found = continuous_likelihood(u, {}, x_1, probes, options);
      for (Index i = 0; i < 2; ++i) {
        const double r2 = std::pow(number(x_1, 2 * i), 2) + std::pow(number(x_1, 2 * i + 1), 2);
        const double start2 = r2 * std::exp(-2 * a), rate = a * a + b * b;
        EXPECT_NEAR(number(found.log_p, i), -start2 / 2 - std::log(2 * std::numbers::pi) - 2 * a, 2e-3);
        EXPECT_NEAR(number(found.kinetic, i), rate * start2 * (std::exp(2 * a) - 1) / (2 * a), 3e-3 * rate * r2);
        EXPECT_NEAR(number(found.jacobian, i), 2 * rate, 1e-4);
      }
    }
  }
}

// u = c x: ln p_1(x) = -x^2 e^(-2 c) / 2 - c - ln(2 pi) / 2, whose derivative with respect to c is x^2 e^(-2c) - 1.
TEST(ContinuousLikelihood, HasItsGradient) {
  for (const ContinuousLikelihoodOptions& options : all_ways(false)) {
    Tensor c = Tensor::scalar(0.4);
    c.set_requires_grad();
    Tensor x_1 = Tensor::from({1.5}, {1, 1});
    x_1.set_requires_grad();
    const Velocity u = [&](const Tensor& x, const Tensor&) { return c * x; };
    sum(continuous_likelihood(u, {c}, x_1, {}, options).log_p).backward();
    const double tolerance = options.gradients == SolveGradients::kAdjoint ? 1e-4 : 2e-3;
    EXPECT_NEAR(number(c.grad()), 1.5 * 1.5 * std::exp(-0.8) - 1, tolerance);
    EXPECT_NEAR(number(x_1.grad()), -1.5 * std::exp(-0.8), tolerance);
  }
}

TEST(ContinuousLikelihood, IsThatOfEvaluation) {
  Generator rng(5);
  const ContinuousFlow model({.network = {.hidden = {8}}}, rng);
  const Tensor x = Tensor::randn({20, 2}, rng);
  const auto velocity = model.dynamics()->velocity;
  const ContinuousLikelihood found =
      continuous_likelihood(with_labels(velocity, {}), {}, x, {}, {.solver = FixedSteps{&kRk4, 50}});
  const Tensor expected = log_likelihood(velocity, x, {}).log_p;
  EXPECT_LT(number(max(abs(found.log_p - expected))), 1e-4);
}

TEST(ContinuousFlow, GradientsAreThoseOfTheLoss) {
  const ContinuousFlowDescription base{.network = {.hidden = {5}, .classes = 2}, .steps = 3, .tolerance = 0};
  std::vector<ContinuousFlowDescription> all(4, base);
  all[0].solver = "rk4";
  all[1].trace = "rademacher";
  all[1].kinetic = all[1].jacobian = 0.7;
  all[2].trace = "gaussian";
  all[2].jacobian = 0.5;
  all[3].solver = "dopri5";
  all[3].gradients = "adjoint";
  all[3].tolerance = kDouble ? 1e-9 : 1e-5;
  all[3].kinetic = 0.3;
  for (const ContinuousFlowDescription& description : all) {
    Generator rng(7);
    ContinuousFlow model(description, rng);
    nn::randomize_parameters(model.module(), 0.4, 8);
    const ContinuousFlowObjective objective = model.objective();
    const auto example = objective.make_example({Tensor::randn({4, 2}, rng), Indices({0, 1, 1, 0})}, rng);
    nn::expect_parameter_gradients(model.module(), [&] { return objective.loss(example); });
  }
}

TEST(ContinuousFlow, BeginsWithTheEarlyTolerance) {
  Generator rng(7);
  ContinuousFlow model({.network = {.hidden = {5}}, .tolerance = 1e-6, .early_steps = 3, .early_tolerance = 1}, rng);
  nn::randomize_parameters(model.module(), 1, 8);
  const ContinuousFlowObjective objective = model.objective();
  const auto example = objective.make_example({Tensor::randn({4, 2}, rng), {}}, rng);
  const auto loss = [&](Index step) { return number(objective.loss(example, step)); };
  EXPECT_EQ(loss(0), loss(2));
  EXPECT_NE(loss(2), loss(3));
  EXPECT_EQ(loss(3), number(objective.loss(example)));
  EXPECT_NEAR(loss(3), number(objective.held_out().loss(example)), 1e-4 * loss(3));
}

TEST(ContinuousFlow, LearnsADensity) {
  const double entropy = std::log(2 * std::numbers::pi * std::numbers::e * 0.25);
  for (const char* gradients : {"steps", "adjoint"}) {
    Generator rng(8);
    ContinuousFlow model({.network = {.hidden = {16}}, .tolerance = 1e-2, .gradients = gradients, .kinetic = 0.01},
                         rng);
    const auto batches = [](Index, Generator& r) {
      return datasets::Batch{0.5 * Tensor::randn({128, 2}, r) + Tensor::from({2, -1}, {2}), {}};
    };
    nn::TrainerOptions options;
    options.learning_rate = {.schedule = "cosine", .peak = 0.02, .steps = 200};
    const auto loop = model.trainer(batches, options);
    for (int i = 0; i < 200; ++i) loop->step();
    EXPECT_NEAR(model.held_out_loss(batches, 10'000, 1), entropy, 0.05) << gradients;
    EXPECT_NEAR(number(mean(slice(model.sample(5000, {}, rng), 1, 0, 1))), 2, 0.05) << gradients;
  }
}

TEST(ContinuousFlow, RefusesWhatDoesNotFit) {
  const auto refused = [](const ContinuousFlowDescription& description) {
    return misuse([&] {
      Generator rng(0);
      ContinuousFlow(description, rng);
    });
  };
  EXPECT_THAT(refused({.solver = "rk4"}), HasSubstr("ode_tolerance: rk4 does not estimate its error"));
  EXPECT_THAT(refused({.tolerance = 0, .gradients = "adjoint"}), HasSubstr("the adjoint needs adaptive steps"));
  EXPECT_THAT(refused({.tolerance = 0, .early_steps = 5}), HasSubstr("early_steps: need adaptive steps"));
  EXPECT_THAT(refused({.gradients = "backprop"}), HasSubstr("unknown ode_gradients 'backprop'"));
  EXPECT_THAT(refused({.trace = "exac"}), HasSubstr("unknown ode_trace 'exac'"));
  EXPECT_THAT(refused({.kinetic = -1}), HasSubstr("kinetic: expected a number, 0 or more, got -1"));
  EXPECT_THAT(misuse([] {
                const Velocity u = [](const Tensor& x, const Tensor&) { return x; };
                continuous_likelihood(u, {}, Tensor::zeros({1, 1}), {},
                                      {.solver = FixedSteps{}, .gradients = SolveGradients::kAdjoint});
              }),
              HasSubstr("set a tolerance"));
  Generator rng(0);
  const ContinuousFlow model({}, rng);
  EXPECT_THAT(misuse([&] {
                score_at(*model.dynamics(), Tensor::zeros({1, 2}), Tensor::zeros({1}));
              }),
              HasSubstr("follows no known path"));
}

}  // namespace
}  // namespace rill::flow
