// Score matching: its losses on a density whose score is known, and models that learn by it.
#include "flow/model/score_matching.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "autodiff/ops.hpp"
#include "flow/loss/score_matching.hpp"
#include "flow/path/path.hpp"
#include "flow/solver/velocity_divergence.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/parameter_gradients.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;

double number(const Tensor& x) { return static_cast<double>(x.item()); }

// The score of N(0, s^2 I) is -x / s^2; E|score|^2 / 2 = D / (2 s^2), which the implicit loss of the exact score misses
// by its sign.
TEST(ScoreMatching, IsLeastAtTheScore) {
  const double s = 0.8;
  const Index n = 100'000;
  Generator rng(4);
  const Tensor x = s * Tensor::randn({n, 2}, rng), t = Tensor::zeros({n}), ones = Tensor::ones({n});
  const std::vector<Tensor> probes = draw_probes(Trace::kRademacher, 1, x.shape(), rng);
  for (const std::vector<Tensor>& by : {std::vector<Tensor>{}, probes}) {
    const auto loss = [&](double factor) {
      const Velocity score = [=](const Tensor& at, const Tensor&) { return (-factor / (s * s)) * at; };
      return number(implicit_score_matching_loss(score, x, t, ones, by));
    };
    EXPECT_NEAR(loss(1), -1 / (s * s), 0.03);
    // (1 - f)^2 / 2 E|score|^2 more.
    EXPECT_NEAR(loss(1.5) - loss(1), 0.125 * 2 / (s * s), 0.03);
    EXPECT_NEAR(loss(0.5) - loss(1), 0.125 * 2 / (s * s), 0.03);
  }
}

TEST(ScoreMatching, OfDenoisingHasItsFloor) {
  // With the exact score -x / (s^2 + sigma^2): E(sigma score + z)^2 = s^2 / (s^2 + sigma^2).
  const double s = 0.8, sigma = 0.6, v = s * s + sigma * sigma;
  const Index n = 200'000;
  Generator rng(4);
  const Tensor z = Tensor::randn({n, 1}, rng), x = s * Tensor::randn({n, 1}, rng) + sigma * z;
  const Velocity score = [=](const Tensor& at, const Tensor&) { return at / -v; };
  EXPECT_NEAR(number(denoising_score_matching_loss(score, x, Tensor::zeros({n}), Tensor::full({n}, sigma), z)),
              s * s / v, 0.01);
}

TEST(ScoreMatching, GradientsAreThoseOfTheLoss) {
  for (const std::string& matching : score_matching_names()) {
    Generator rng(7);
    ScoreMatching model({.network = {.hidden = {6}, .classes = 2},
                         .levels = 3,
                         .most_noise = 2,
                         .least_noise = 0.5,
                         .matching = matching,
                         .label_dropout = 0.3},
                        rng);
    const datasets::Batch batch{Tensor::randn({5, 2}, rng), Indices({0, 1, 1, 0, 1})};
    const ScoreMatchingObjective objective = model.objective();
    const ScoreMatchingExample example = objective.make_example(batch, rng);
    nn::expect_parameter_gradients(model.module(), [&] { return objective.loss(example); });
  }
}

// Two modes that hold 0.2 and 0.8, ten apart: what one level of noise cannot tell, a ladder can.
datasets::Batch far_modes(Index, Generator& rng) {
  const Tensor left = less(Tensor::rand({256, 1}, rng), Tensor::scalar(0.2));
  return {where(left, Tensor::scalar(-5), Tensor::scalar(5)) + 0.5 * Tensor::randn({256, 1}, rng), {}};
}
double share_left_after_training(const ScoreMatchingDescription& description) {
  Generator rng(8);
  ScoreMatching model(description, rng);
  nn::TrainerOptions options;
  options.learning_rate = {.schedule = "cosine", .peak = 0.01, .steps = 1500};
  const auto loop = model.trainer(far_modes, options);
  for (int i = 0; i < 1500; ++i) loop->step();
  return number(mean(less(model.sample(4000, {}, rng), Tensor::scalar(0))));
}

TEST(ScoreMatching, ALadderOfNoiseLearnsTheSharesOfFarModes) {
  const nn::TimeNetworkDescription network{.dimension = 1, .hidden = {32, 32}};
  EXPECT_NEAR(share_left_after_training({.network = network}), 0.2, 0.05);
}

TEST(ScoreMatching, EveryWayLearnsOneLevel) {
  for (const std::string& matching : score_matching_names()) {
    Generator rng(9);
    ScoreMatching model(
        {.network = {.dimension = 1, .hidden = {32}}, .levels = 1, .least_noise = 0.5, .matching = matching}, rng);
    const auto batches = [](Index, Generator& r) { return datasets::Batch{2 + 0.5 * Tensor::randn({256, 1}, r), {}}; };
    nn::TrainerOptions options;
    options.learning_rate = {.schedule = "cosine", .peak = 0.02, .steps = 800};
    const auto loop = model.trainer(batches, options);
    for (int i = 0; i < 800; ++i) loop->step();
    // The score of N(2, 0.5^2 + 0.5^2).
    const Tensor x = Tensor::from({1, 2, 3}, {3, 1}), expected = (2 - x) / 0.5;
    const Tensor found = (*model.scores()->score)(x, Tensor::ones({3}), {});
    EXPECT_LT(number(max(abs(found - expected))), 0.3) << matching;
  }
}

TEST(ScoreMatching, RefusesWhatIsNone) {
  Generator rng(0);
  EXPECT_THAT(misuse([&] { ScoreMatching({.matching = "exac"}, rng); }), HasSubstr("unknown score matching 'exac'"));
  EXPECT_THAT(misuse([&] { ScoreMatching({.levels = 0}, rng); }), HasSubstr("noise_levels: expected 1 to 1000, got 0"));
  EXPECT_THAT(misuse([&] { ScoreMatching({.most_noise = 1, .least_noise = 2}, rng); }), HasSubstr("got 2 and 1"));
  EXPECT_THAT(misuse([&] { ScoreMatching({.label_dropout = 0.1}, rng); }), HasSubstr("the model has no classes"));
  const ScoreMatching model({}, rng);
  EXPECT_FALSE(model.dynamics());
  EXPECT_THAT(misuse([&] { model.log_density(Tensor::zeros({1, 2}), {}); }), HasSubstr("diffusion learns the same"));
}

}  // namespace
}  // namespace rill::flow
