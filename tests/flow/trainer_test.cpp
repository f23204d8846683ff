// The trainer: it learns a known field, resumes bit for bit, and stops when it diverges. Sampling with what it learned.
#include "flow/model/trainer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "flow/metrics/likelihood.hpp"
#include "flow/model/generate.hpp"
#include "flow/solver/ode.hpp"
#include "nn/dropout.hpp"
#include "nn/model.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr double kMean = 1, kDeviation = 0.5;

// N(m, s^2) in one dimension, whose loss floor is (pi / 2) s.
datasets::BatchSource gaussian(Index batch) {
  return [batch](Index, Generator& rng) {
    return datasets::Batch{kMean + kDeviation * Tensor::randn({batch, 1}, rng), {}};
  };
}

std::shared_ptr<nn::VelocityModel> small_model(std::uint64_t seed = 1) {
  Generator rng(seed);
  return nn::make_model({.dimension = 1, .hidden = {32, 32}}, rng);
}

TrainerOptions options(Index steps) {
  TrainerOptions o;
  o.learning_rate = {.schedule = "cosine", .peak = 1e-2, .steps = steps};
  o.clip_norm = 5;
  o.ema_decay = 0.99;
  return o;
}

std::vector<Real> weights_of(const nn::VelocityModel& model) {
  std::vector<Real> all;
  for (const Tensor& p : model.parameters()) all.insert(all.end(), p.values().begin(), p.values().end());
  return all;
}

class TrainerFile : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }

 private:
  std::string folder_ = ::testing::TempDir() + "rill_trainer_" + std::to_string(::getpid());
};

TEST(HeldOutLoss, IsAtUniformTimesAndWithEveryLabel) {
  Generator rng(3);
  const auto model = nn::make_model({.dimension = 1, .hidden = {8}, .classes = 2}, rng);
  const datasets::BatchSource labelled = [](Index, Generator& batch_rng) {
    return datasets::Batch{Tensor::randn({100, 1}, batch_rng), Indices(batch_rng.integers(100, 2))};
  };
  ExampleOptions options;
  options.no_class = 2;
  const double plain = held_out_loss(*model, options, labelled, 500, 4);
  options.times.distribution = "late";
  options.label_dropout = 0.5;
  EXPECT_EQ(held_out_loss(*model, options, labelled, 500, 4), plain);
}

TEST(Trainer, LearnsAGaussian) {
  const auto model = small_model();
  Trainer trainer(*model, gaussian(256), options(1500));
  while (trainer.steps_done() < 1500) trainer.step();
  const nn::EmaScope averaged(*trainer.ema());
  const double floor = std::numbers::pi / 2 * kDeviation;
  EXPECT_NEAR(held_out_loss(*model, trainer.examples().options(), gaussian(1000), 200'000, 9), floor, 0.01 * floor);

  Generator rng(2);
  const Index n = 20'000;
  const Tensor x = generate(*model, Tensor::randn({n, 1}, rng), {}, {.solver = FixedSteps{&kRk4, 20}}).x;
  const double average = mean(x).item(), deviation = std::sqrt(mean(square(x - average)).item());
  EXPECT_NEAR(average, kMean, 0.02);
  EXPECT_NEAR(deviation, kDeviation, 0.02);

  // The learned field, where the points are, and the density that it carries.
  const Tensor x_1 = kMean + kDeviation * Tensor::randn({n, 1}, rng);
  const PathSample sample = trainer.examples().path().sample(Tensor::randn({n, 1}, rng), x_1, Tensor::rand({n}, rng));
  const Tensor t = per_sample(sample.t, 2);
  const double variance = kDeviation * kDeviation;
  const Tensor slope = (t * variance - (1 - t)) / (square(1 - t) + square(t) * variance);
  const Tensor exact = slope * (sample.x_t - t * kMean) + kMean;
  EXPECT_LT(std::sqrt(mean(square(model->forward(sample.x_t, sample.t) - exact)).item()), 0.06);
  const Tensor log_p =
      square((x_1 - kMean) / kDeviation) * -0.5 - std::log(kDeviation * std::sqrt(2 * std::numbers::pi));
  EXPECT_NEAR(mean(log_likelihood(*model, x_1, {}).log_p).item(), mean(log_p).item(), 0.01);
}

TEST_F(TrainerFile, ResumesBitForBit) {
  const auto straight = small_model(), first = small_model(), second = small_model(77);
  Trainer whole(*straight, gaussian(64), options(40)), before(*first, gaussian(64), options(40)),
      after(*second, gaussian(64), options(40));
  for (int i = 0; i < 40; ++i) whole.step();
  for (int i = 0; i < 17; ++i) before.step();
  before.save(file("state"), {{"note", "kept"}});
  EXPECT_EQ(after.load(file("state")).at("note"), "kept");
  EXPECT_EQ(after.steps_done(), 17);
  for (int i = 17; i < 40; ++i) after.step();
  EXPECT_EQ(weights_of(*straight), weights_of(*second));
  EXPECT_EQ(whole.take_mean_loss(), after.take_mean_loss());
  whole.save(file("a"));
  after.save(file("b"));
  EXPECT_EQ(read_file(file("a")), read_file(file("b")));
}

// Dropout too is a function of seed and step, and ends with the step.
TEST_F(TrainerFile, ResumesBitForBitWithDropout) {
  nn::ModelDescription description{.kind = "unet", .dimension = 4, .image = {2, 2, 1}};
  description.unet = {.base_channels = 4, .multipliers = {1}, .norm_groups = 2, .dropout = 0.5};
  const auto make = [&](double dropout) {
    description.unet.dropout = dropout;
    Generator rng(1);
    return nn::make_model(description, rng);
  };
  const datasets::BatchSource images = [](Index, Generator& rng) {
    return datasets::Batch{Tensor::randn({8, 4}, rng), {}};
  };
  const auto straight = make(0.5), first = make(0.5), second = make(0.5), plain = make(0);
  Trainer whole(*straight, images, options(6)), before(*first, images, options(6)), after(*second, images, options(6)),
      without(*plain, images, options(6));
  for (int i = 0; i < 6; ++i) {
    whole.step();
    without.step();
  }
  for (int i = 0; i < 3; ++i) before.step();
  before.save(file("state.safetensors"));
  after.load(file("state.safetensors"));
  for (int i = 0; i < 3; ++i) after.step();
  EXPECT_EQ(weights_of(*second), weights_of(*straight));
  EXPECT_NE(weights_of(*plain), weights_of(*straight));
  EXPECT_EQ(nn::TrainingScope::generator(), nullptr);
}

TEST_F(TrainerFile, RefusesAStateThatIsNotItsOwn) {
  const auto model = small_model();
  Generator rng(1);
  const auto wider = nn::make_model({.dimension = 1, .hidden = {32, 33}}, rng);
  Trainer trainer(*model, gaussian(4), options(10)), other(*wider, gaussian(4), options(10));
  trainer.save(file("state"));
  EXPECT_THAT([&] { other.load(file("state")); },
              ThrowsMessage<FileError>(::testing::AllOf(HasSubstr("state"), HasSubstr("layers.2.weight"))));
  auto no_average = options(10);
  no_average.ema_decay = 0;
  Trainer without(*model, gaussian(4), no_average);
  EXPECT_THAT([&] { without.load(file("state")); }, ThrowsMessage<FileError>(HasSubstr("ema_decay is 0")));
  EXPECT_THAT([&] { trainer.load(file("missing")); }, ThrowsMessage<FileError>(HasSubstr("missing")));
  write_file_atomically(file("text"), "not a checkpoint");
  EXPECT_THAT([&] { trainer.load(file("text")); }, ThrowsMessage<FileError>(HasSubstr("text")));
}

TEST(Trainer, StopsBeforeTheWeightsAreSpoilt) {
  const auto model = small_model();
  const datasets::BatchSource broken = [](Index step, Generator& rng) {
    return datasets::Batch{Tensor::randn({8, 1}, rng) * (step == 3 ? std::numeric_limits<double>::infinity() : 1.0),
                           {}};
  };
  Trainer trainer(*model, broken, options(10));
  for (int i = 0; i < 3; ++i) trainer.step();
  const auto before = weights_of(*model);
  EXPECT_THAT([&] { trainer.step(); }, ThrowsMessage<nn::DivergedError>(HasSubstr("diverged at step 4")));
  EXPECT_EQ(weights_of(*model), before);
}

TEST(Trainer, AveragesTheLossBetweenReports) {
  const auto model = small_model();
  Trainer trainer(*model, gaussian(16), options(10));
  EXPECT_TRUE(std::isnan(trainer.take_mean_loss()));
  const double first = trainer.step().loss, second = trainer.step().loss;
  EXPECT_DOUBLE_EQ(trainer.take_mean_loss(), (first + second) / 2);
  EXPECT_TRUE(std::isnan(trainer.take_mean_loss()));
}

TEST(Generate, DoesNotDependOnThreadsAndKeepsTrajectories) {
  Generator rng(3);
  const auto model = nn::make_model({.dimension = 2, .hidden = {16}, .classes = 3}, rng);
  const Tensor x_0 = Tensor::randn({700, 2}, rng);
  const Indices labels(rng.integers(700, 3));
  const int threads = thread_count();
  set_thread_count(1);
  const Generated one = generate(*model, x_0, labels, {.solver = FixedSteps{&kEuler, 5}, .keep_trajectory = true});
  set_thread_count(3);
  const Generated three = generate(*model, x_0, labels, {.solver = FixedSteps{&kEuler, 5}});
  set_thread_count(threads);
  EXPECT_EQ(one.x.to_vector(), three.x.to_vector());
  ASSERT_EQ(one.trajectory.size(), 6u);
  EXPECT_EQ(one.trajectory.front().to_vector(), x_0.to_vector());
  EXPECT_EQ(one.trajectory.back().to_vector(), one.x.to_vector());
  EXPECT_EQ(one.evaluations, 5);
  EXPECT_FALSE(one.x.requires_grad());
  const Tensor whole = solve(velocity_of(*model, labels), x_0, uniform_grid(0, 1, 5), kEuler).x;
  for (Index i = 0; i < 1400; ++i) EXPECT_NEAR(one.x.data()[i], whole.data()[i], 1e-5);
}

TEST(Generate, MisuseIsExplained) {
  Generator rng(3);
  const auto model = nn::make_model({.dimension = 2, .hidden = {16}, .classes = 3}, rng);
  EXPECT_THAT(
      [&] {
        generate(*model, Tensor::zeros({4, 2}), Indices({0, 1}), {});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("2 labels for 4 points")));
  EXPECT_THAT(
      [&] {
        generate(*model, Tensor::zeros({1, 2}), Indices({7}), {});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("7")));
}

}  // namespace
}  // namespace rill::flow
