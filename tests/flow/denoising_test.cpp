// Denoising: targets, weights and the least loss, and models that learn by it.
#include "flow/loss/denoising.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "autodiff/ops.hpp"
#include "flow/model/diffusion.hpp"
#include "flow/path/forward_sde.hpp"
#include "flow/path/path.hpp"
#include "tests/flow/exact_diffusion.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/parameter_gradients.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;

double number(const Tensor& x) { return static_cast<double>(x.item()); }

// Of data N(m, s^2), the best prediction of each target at x_t is linear in x_t, and its error is known exactly: for
// noise alpha^2 s^2 / v, for data s^2 sigma^2 / v with v = alpha^2 s^2 + sigma^2 the variance of x_t.
TEST(Denoising, HasItsFloor) {
  const double m = 1.5, s = 0.5;
  const Index n = 200'000;
  for (const std::string& sde : forward_sde_names()) {
    const auto scheduler = forward_scheduler({.name = sde});
    for (const std::string& target : denoising_target_names()) {
      Generator rng(5);
      const Tensor x_1 = m + s * Tensor::randn({n, 1}, rng), x_0 = Tensor::randn({n, 1}, rng);
      const double u = 0.6;
      const DenoisingExample example =
          denoising_example(x_1, x_0, Tensor::full({n}, u), *scheduler, {.target = target});
      const double t = static_cast<double>(example.t.data()[0]);
      EXPECT_NEAR(t, u, 1e-4);
      const Coefficients c = scheduler->at(t);
      const double v = c.alpha * c.alpha * s * s + c.sigma * c.sigma;
      const Tensor away = (example.x_t - c.alpha * m) / v;
      const Tensor noise = c.sigma * away, data = m + c.alpha * s * s * away;
      const double root = std::hypot(c.alpha, c.sigma);
      const Tensor best = target == "noise"   ? noise
                          : target == "data"  ? data
                          : target == "score" ? -noise
                                              : (c.alpha * noise - c.sigma * data) / root;
      // x_0 = (x_t - alpha x_1) / sigma: errors of the noise are alpha / sigma times those of the data, of v root /
      // sigma.
      const double of_data = s * s * c.sigma * c.sigma / v;
      const double floor = target == "data" ? of_data
                           : target == "v"  ? of_data * root * root / (c.sigma * c.sigma)
                                            : c.alpha * c.alpha * s * s / v;
      EXPECT_NEAR(number(denoising_loss(best, example)), floor, 0.02 * floor) << sde << ", " << target;
      EXPECT_GT(number(denoising_loss(best + 0.1, example)), 1.005 * floor);
      // What the network says, as each of the others.
      const Tensor score =
          from_output(best, {.target = target}, Prediction::kScore, example.x_t, example.t, *scheduler);
      EXPECT_LT(number(max(abs(score + away))), 1e-3 * (1 + number(max(abs(away))))) << sde << ", " << target;
    }
  }
}

// The weights make the losses of all targets the same function of the error.
TEST(Denoising, WeightsDoNotDependOnTheTarget) {
  for (const std::string& sde : forward_sde_names()) {
    const auto scheduler = forward_scheduler({.name = sde});
    for (const char* weighting : {"min-snr", "likelihood"}) {
      double expected = 0;
      for (const std::string& target : denoising_target_names()) {
        Generator rng(6);
        const Tensor x_1 = Tensor::randn({500, 2}, rng), x_0 = Tensor::randn({500, 2}, rng);
        const Tensor u = 0.05 + 0.9 * Tensor::rand({500}, rng);
        const DenoisingDescription description{.target = target, .weighting = weighting};
        const DenoisingExample example = denoising_example(x_1, x_0, u, *scheduler, description);
        // An error of 0.1 in the data prediction.
        const Tensor data = x_1 + 0.1;
        const CoefficientTensors c = scheduler->at(example.t);
        const Tensor alpha = per_sample(c.alpha, 2), sigma = per_sample(c.sigma, 2);
        const Tensor noise = (example.x_t - alpha * data) / sigma;
        const Tensor output = target == "noise"  ? noise
                              : target == "data" ? data
                              : target == "score"
                                  ? -noise
                                  : (alpha * noise - sigma * data) / sqrt(square(alpha) + square(sigma));
        const double loss = number(denoising_loss(output, example));
        if (target == "noise") expected = loss;
        EXPECT_NEAR(loss, expected, 2e-3 * expected) << sde << ", " << weighting << ", " << target;
      }
    }
  }
}

// With weights of likelihood, times are uniform in ln(snr).
TEST(Denoising, LikelihoodSpreadsTimesOverTheLogarithmOfTheRatio) {
  const auto scheduler = forward_scheduler({.name = "vp"});
  const Tensor u = Tensor::from({0, 0.25, 0.5, 0.75, 1}, {5}), x = Tensor::zeros({5, 1});
  const DenoisingExample example = denoising_example(x, x, u, *scheduler, {.weighting = "likelihood"});
  std::vector<double> logs;
  for (Index i = 0; i < 5; ++i) {
    const Coefficients c = scheduler->at(static_cast<double>(example.t.data()[i]));
    logs.push_back(std::log(c.alpha / c.sigma));
  }
  for (std::size_t i = 1; i + 1 < 5; ++i) {
    EXPECT_NEAR(logs[i + 1] - logs[i], logs[1] - logs[0], 0.02 * std::abs(logs[1] - logs[0]));
  }
}

TEST(Denoising, NamesAreChecked) {
  EXPECT_THAT(misuse([] { check(DenoisingDescription{.target = "nois"}); }), HasSubstr("unknown prediction 'nois'"));
  EXPECT_THAT(misuse([] { check(DenoisingDescription{.weighting = "snr"}); }), HasSubstr("unknown weighting 'snr'"));
  Generator rng(0);
  EXPECT_THAT(misuse([&] { Diffusion({.times = {.distribution = "never"}}, rng); }), HasSubstr("never"));
  EXPECT_THAT(misuse([&] { Diffusion({.label_dropout = 0.1}, rng); }), HasSubstr("the model has no classes"));
}

TEST(Diffusion, GradientsAreThoseOfTheLoss) {
  for (const std::string& target : denoising_target_names()) {
    for (const std::string& weighting : denoising_weighting_names()) {
      Generator rng(7);
      Diffusion model({.network = {.hidden = {6}, .classes = 2},
                       .denoising = {.target = target, .weighting = weighting},
                       .label_dropout = 0.3},
                      rng);
      const datasets::Batch batch{Tensor::randn({5, 2}, rng), Indices({0, 1, 1, 0, 1})};
      const DiffusionObjective objective = model.objective();
      DenoisingExample example = objective.make_example(batch, rng);
      if (example.weight.defined()) example.weight = example.weight / max(example.weight);
      nn::expect_parameter_gradients(model.module(), [&] { return objective.loss(example); });
    }
  }
}

// A little training finds the shares of both modes, and their density.
TEST(Diffusion, LearnsTwoGaussians) {
  for (const std::string& sde : forward_sde_names()) {
    Generator rng(8);
    Diffusion model({.network = {.dimension = 1, .hidden = {32, 32}},
                     .forward = {.name = sde, .sigma_max = 10},
                     .denoising = {.target = "v"}},
                    rng);
    const TwoGaussians data;
    const auto batches = [](Index, Generator& r) {
      const Tensor left = less(Tensor::rand({256, 1}, r), Tensor::scalar(0.3));
      return datasets::Batch{where(left, Tensor::scalar(-2), Tensor::scalar(1)) + 0.4 * Tensor::randn({256, 1}, r), {}};
    };
    nn::TrainerOptions options;
    options.learning_rate = {.schedule = "cosine", .peak = 0.005, .steps = 2000};
    const auto loop = model.trainer(batches, options);
    for (int i = 0; i < 2000; ++i) loop->step();
    const Tensor x = model.sample(4000, {}, rng);
    EXPECT_NEAR(number(mean(less(x, Tensor::scalar(-0.5)))), data.weight, 0.06) << sde;
    const Tensor fresh = slice(batches(0, rng).x_1, 0, 0, 256);
    Tensor log_p = Tensor::empty({256});
    for (Index i = 0; i < 256; ++i) {
      log_p.data()[i] = static_cast<Real>(std::log(data.density(static_cast<double>(fresh.data()[i]))));
    }
    EXPECT_NEAR(number(mean(log_p - model.log_density(fresh, {}))), 0, 0.1) << sde;
  }
}

}  // namespace
}  // namespace rill::flow
