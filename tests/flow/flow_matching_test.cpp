// Flow matching learns known fields, resumes bit for bit, and stops when it diverges. Sampling with what it learned.
#include "flow/model/flow_matching.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "flow/model/generate.hpp"
#include "flow/solver/ode.hpp"
#include "nn/dropout.hpp"
#include "nn/time_networks.hpp"
#include "nn/trainer.hpp"
#include "tests/misuse.hpp"

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

FlowMatching made(const FlowMatchingDescription& description, std::uint64_t seed = 1) {
  Generator rng(seed);
  return {description, rng};
}

FlowMatching small_model(std::uint64_t seed = 1) {
  return made({.network = {.dimension = 1, .hidden = {32, 32}}}, seed);
}

nn::TrainerOptions options(Index steps) {
  nn::TrainerOptions o;
  o.learning_rate = {.schedule = "cosine", .peak = 1e-2, .steps = steps};
  o.clip_norm = 5;
  o.ema_decay = 0.99;
  return o;
}

std::vector<Real> weights_of(const FlowMatching& model) {
  std::vector<Real> all;
  for (const Tensor& p : model.module().parameters()) all.insert(all.end(), p.values().begin(), p.values().end());
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
  FlowMatchingDescription description{.network = {.dimension = 1, .hidden = {8}, .classes = 2}};
  const FlowMatching plain = made(description, 3);
  const datasets::BatchSource labeled = [](Index, Generator& batch_rng) {
    return datasets::Batch{Tensor::randn({100, 1}, batch_rng), Indices(batch_rng.integers(100, 2))};
  };
  const double loss = plain.held_out_loss(labeled, 500, 4);
  description.times.distribution = "late";
  description.label_dropout = 0.5;
  const FlowMatching other(plain, description);
  EXPECT_EQ(other.held_out_loss(labeled, 500, 4), loss);
  EXPECT_NE(nn::mean_loss(other.objective(), labeled, 500, 4), loss);
  EXPECT_TRUE(std::isnan(plain.held_out_loss(labeled, 0, 4)));
  const datasets::BatchSource none = [](Index, Generator&) { return datasets::Batch{Tensor::zeros({0, 1}), {}}; };
  EXPECT_THAT(misuse([&] { plain.held_out_loss(none, 500, 4); }), HasSubstr("empty batch"));
}

TEST(Trainer, LearnsAGaussian) {
  FlowMatching model = small_model();
  const auto trainer = model.trainer(gaussian(256), options(1500));
  while (trainer->steps_done() < 1500) trainer->step();
  const nn::EmaScope averaged(*trainer->ema());
  const Dynamics dynamics = *model.dynamics();
  const double floor = std::numbers::pi / 2 * kDeviation;
  EXPECT_NEAR(model.held_out_loss(gaussian(1000), 200'000, 9), floor, 0.01 * floor);

  Generator rng(2);
  const Index n = 20'000;
  const Tensor x = generate(dynamics, Tensor::randn({n, 1}, rng), {}, {.solver = FixedSteps{&kRk4, 20}}).x;
  const double average = mean(x).item(), deviation = std::sqrt(mean(square(x - average)).item());
  EXPECT_NEAR(average, kMean, 0.02);
  EXPECT_NEAR(deviation, kDeviation, 0.02);

  // The learned field, where the points are, and the density that it generates.
  const Tensor x_1 = kMean + kDeviation * Tensor::randn({n, 1}, rng);
  const PathSample sample = dynamics.path->sample(Tensor::randn({n, 1}, rng), x_1, Tensor::rand({n}, rng));
  const Tensor t = per_sample(sample.t, 2);
  const double variance = kDeviation * kDeviation;
  const Tensor slope = (t * variance - (1 - t)) / (square(1 - t) + square(t) * variance);
  const Tensor exact = slope * (sample.x_t - t * kMean) + kMean;
  EXPECT_LT(std::sqrt(mean(square((*dynamics.velocity)(sample.x_t, sample.t) - exact)).item()), 0.06);
  const Tensor log_p =
      square((x_1 - kMean) / kDeviation) * -0.5 - std::log(kDeviation * std::sqrt(2 * std::numbers::pi));
  EXPECT_NEAR(mean(model.log_density(x_1, {})).item(), mean(log_p).item(), 0.01);
}

TEST_F(TrainerFile, ResumesBitForBit) {
  FlowMatching straight = small_model(), first = small_model(), second = small_model(77);
  const auto whole = straight.trainer(gaussian(64), options(40)), before = first.trainer(gaussian(64), options(40)),
             after = second.trainer(gaussian(64), options(40));
  for (int i = 0; i < 40; ++i) whole->step();
  for (int i = 0; i < 17; ++i) before->step();
  before->save(file("state"), {{"note", "kept"}});
  EXPECT_EQ(after->load(file("state")).at("note"), "kept");
  EXPECT_EQ(after->steps_done(), 17);
  for (int i = 17; i < 40; ++i) after->step();
  EXPECT_EQ(weights_of(straight), weights_of(second));
  EXPECT_EQ(whole->take_mean_loss(), after->take_mean_loss());
  whole->save(file("a"));
  after->save(file("b"));
  EXPECT_EQ(read_file(file("a")), read_file(file("b")));
}

// Dropout too is a function of seed and step, and ends with the step.
TEST_F(TrainerFile, ResumesBitForBitWithDropout) {
  const auto with_dropout = [](double dropout) {
    FlowMatchingDescription description{.network = {.kind = "unet", .dimension = 4, .image = {2, 2, 1}}};
    description.network.unet = {.base_channels = 4, .multipliers = {1}, .norm_groups = 2, .dropout = dropout};
    return made(description);
  };
  const datasets::BatchSource images = [](Index, Generator& rng) {
    return datasets::Batch{Tensor::randn({8, 4}, rng), {}};
  };
  FlowMatching straight = with_dropout(0.5), first = with_dropout(0.5), second = with_dropout(0.5),
               plain = with_dropout(0);
  const auto whole = straight.trainer(images, options(6)), before = first.trainer(images, options(6)),
             after = second.trainer(images, options(6)), without = plain.trainer(images, options(6));
  for (int i = 0; i < 6; ++i) {
    whole->step();
    without->step();
  }
  for (int i = 0; i < 3; ++i) before->step();
  before->save(file("state.safetensors"));
  after->load(file("state.safetensors"));
  for (int i = 0; i < 3; ++i) after->step();
  EXPECT_EQ(weights_of(second), weights_of(straight));
  EXPECT_NE(weights_of(plain), weights_of(straight));
  EXPECT_EQ(nn::TrainingScope::generator(), nullptr);
}

TEST_F(TrainerFile, RefusesAStateThatIsNotItsOwn) {
  FlowMatching model = small_model(), wider = made({.network = {.dimension = 1, .hidden = {32, 33}}});
  const auto trainer = model.trainer(gaussian(4), options(10)), other = wider.trainer(gaussian(4), options(10));
  trainer->save(file("state"));
  EXPECT_THAT([&] { other->load(file("state")); },
              ThrowsMessage<FileError>(::testing::AllOf(HasSubstr("state"), HasSubstr("layers.2.weight"))));
  auto no_average = options(10);
  no_average.ema_decay = 0;
  const auto without = model.trainer(gaussian(4), no_average);
  EXPECT_THAT([&] { without->load(file("state")); }, ThrowsMessage<FileError>(HasSubstr("ema_decay is 0")));
  EXPECT_THAT([&] { trainer->load(file("missing")); }, ThrowsMessage<FileError>(HasSubstr("missing")));
  write_file_atomically(file("text"), "not a checkpoint");
  EXPECT_THAT([&] { trainer->load(file("text")); }, ThrowsMessage<FileError>(HasSubstr("text")));
}

TEST(Trainer, StopsBeforeTheWeightsAreSpoilt) {
  FlowMatching model = small_model();
  const datasets::BatchSource broken = [](Index step, Generator& rng) {
    return datasets::Batch{Tensor::randn({8, 1}, rng) * (step == 3 ? std::numeric_limits<double>::infinity() : 1.0),
                           {}};
  };
  const auto trainer = model.trainer(broken, options(10));
  for (int i = 0; i < 3; ++i) trainer->step();
  const auto before = weights_of(model);
  EXPECT_THAT([&] { trainer->step(); }, ThrowsMessage<nn::DivergedError>(HasSubstr("diverged at step 4")));
  EXPECT_EQ(weights_of(model), before);
}

TEST(Trainer, AveragesTheLossBetweenReports) {
  FlowMatching model = small_model();
  const auto trainer = model.trainer(gaussian(16), options(10));
  EXPECT_TRUE(std::isnan(trainer->take_mean_loss()));
  const double first = trainer->step().loss, second = trainer->step().loss;
  EXPECT_DOUBLE_EQ(trainer->take_mean_loss(), (first + second) / 2);
  EXPECT_TRUE(std::isnan(trainer->take_mean_loss()));
}

// The weights after some steps of training with optimal transport.
std::vector<Real> weights_after_training(int threads) {
  const int before = thread_count();
  set_thread_count(threads);
  FlowMatching model = made({.network = {.dimension = 2, .hidden = {16}}, .coupling = {.name = "ot"}}, 6);
  const auto trainer = model.trainer(
      [](Index, Generator& step_rng) {
        return datasets::Batch{Tensor::randn({64, 2}, step_rng) + 2, {}};
      },
      {});
  for (int step = 0; step < 30; ++step) trainer->step();
  set_thread_count(before);
  return weights_of(model);
}

TEST(Trainer, IsTheSameWithExamplesMadeAhead) { EXPECT_EQ(weights_after_training(1), weights_after_training(4)); }

TEST(Trainer, LearnsAScoreOnABridgeOnly) {
  FlowMatchingDescription description{.network = {.dimension = 1, .hidden = {16}}, .score = true};
  const datasets::BatchSource source = [](Index, Generator& step_rng) {
    return datasets::Batch{Tensor::randn({64, 1}, step_rng), {}};
  };
  EXPECT_THAT(misuse([&] { made(description); }), HasSubstr("schroedinger-bridge"));
  description.path = {.name = "schroedinger-bridge", .sigma = 1};
  FlowMatching model = made(description, 7);
  nn::TrainerOptions options;
  options.learning_rate = {.schedule = "cosine", .peak = 1e-2, .steps = 1000};
  options.clip_norm = 1;
  const auto trainer = model.trainer(source, options);
  for (int step = 0; step < 1000; ++step) trainer->step();
  // At t = 1/2 the points are N(0, 3/4): a quarter each from both ends and from the bridge.
  const Tensor x = Tensor::from({-1, 0, 1}, {3, 1});
  const Tensor drift = (*model.dynamics()->score_drift)(x, Tensor::full({3}, 0.5));
  for (Index i = 0; i < 3; ++i) EXPECT_NEAR(drift.data()[i], -0.5 * x.data()[i] / 0.75, 0.1);
}

TEST(Trainer, LearnsTheSchroedingerBridge) {
  // From N(-a, 1) to N(a, 1) with sigma = 1 the plan has the covariance c = (sqrt(4 + sigma^4) - sigma^2) / 2, the
  // marginals have the mean a (2 t - 1) and the variance (1 - t)^2 + t^2 + t (1 - t) sqrt(4 + sigma^4); the flow and
  // the diffusion share them. Pairs are drawn from the plan itself, which no batch of Sinkhorn's has to estimate.
  constexpr double kShift = 1, kSigma = 1;
  const double root = std::sqrt(4 + std::pow(kSigma, 4)), covariance = (root - kSigma * kSigma) / 2;
  Generator rng(8);
  const nn::TimeNetworkDescription network{.dimension = 1, .hidden = {32, 32}};
  const std::shared_ptr<nn::TimeNetwork> velocity = nn::make_time_network(network, rng),
                                         score = nn::make_time_network(network, rng);
  nn::NamedTensors parameters = nn::add_prefix("velocity.", velocity->named_parameters());
  for (const nn::NamedTensor& named : nn::add_prefix("score.", score->named_parameters())) parameters.push_back(named);
  ExampleOptions examples;
  examples.path = {.name = "schroedinger-bridge", .sigma = kSigma};
  examples.times = {.distribution = "logit-normal", .low_discrepancy = true};
  Tensor centered;  // x_1 - a of the batch at hand
  const datasets::BatchSource data = [&](Index, Generator& step_rng) {
    centered = Tensor::randn({512, 1}, step_rng);
    return datasets::Batch{centered + kShift, {}};
  };
  examples.source = [&](const Shape& shape, Generator& step_rng) {
    return covariance * centered + std::sqrt(1 - covariance * covariance) * Tensor::randn(shape, step_rng) - kShift;
  };
  nn::TrainerOptions options;
  options.learning_rate = {.schedule = "cosine", .peak = 5e-3, .steps = 2000};
  options.ema_decay = 0.998;
  nn::Trainer trainer(parameters, FlowMatchingObjective(velocity, score, examples), data, options);
  for (int step = 0; step < 2000; ++step) trainer.step();
  const nn::EmaScope averaged(*trainer.ema());
  const Index n = 30'000;
  const Tensor x_0 = Tensor::randn({n, 1}, rng) - kShift;
  const Dynamics dynamics{.velocity = velocity_of(velocity),
                          .path = std::make_shared<const AffinePath>(make_path(examples.path)),
                          .score_drift = velocity_of(score)};
  // sde_test.cpp holds the exact equation to 2 %. Learning adds as much: the targets' variance has no bound at the
  // ends, and the rare large ones, by which the points spread, count for less with Adam.
  for (const GenerateOptions& generating :
       {GenerateOptions{.solver = FixedSteps{&kRk4, 12}, .keep_trajectory = true},
        GenerateOptions{.solver = StochasticSteps{SdeMethod::kHeun, 40, 1, 9}, .keep_trajectory = true}}) {
    const Generated moved = generate(dynamics, x_0, {}, generating);
    for (const std::size_t part : {1, 2, 4}) {  // t = 1/4, 1/2, 1
      const Tensor& x = moved.trajectory[part * (moved.times.size() - 1) / 4];
      const double t = static_cast<double>(part) / 4, average = mean(x).item();
      const double variance = (1 - t) * (1 - t) + t * t + t * (1 - t) * root;
      EXPECT_NEAR(average, kShift * (2 * t - 1), 0.03) << "t = " << t;
      EXPECT_NEAR(mean(square(x - average)).item(), variance, 0.03 * variance) << "t = " << t;
    }
  }
}

TEST(Generate, DoesNotDependOnThreadsAndKeepsTrajectories) {
  Generator rng(3);
  const Dynamics dynamics{.velocity =
                              velocity_of(nn::make_time_network({.dimension = 2, .hidden = {16}, .classes = 3}, rng))};
  const Tensor x_0 = Tensor::randn({700, 2}, rng);
  const Indices labels(rng.integers(700, 3));
  const int threads = thread_count();
  set_thread_count(1);
  const Generated one = generate(dynamics, x_0, labels, {.solver = FixedSteps{&kEuler, 5}, .keep_trajectory = true});
  set_thread_count(3);
  const Generated three = generate(dynamics, x_0, labels, {.solver = FixedSteps{&kEuler, 5}});
  set_thread_count(threads);
  EXPECT_EQ(one.x.to_vector(), three.x.to_vector());
  ASSERT_EQ(one.trajectory.size(), 6u);
  EXPECT_EQ(one.trajectory.front().to_vector(), x_0.to_vector());
  EXPECT_EQ(one.trajectory.back().to_vector(), one.x.to_vector());
  EXPECT_EQ(one.evaluations, 5);
  EXPECT_FALSE(one.x.requires_grad());
  const Tensor whole = solve(with_labels(dynamics.velocity, labels), x_0, uniform_grid(0, 1, 5), kEuler).x;
  for (Index i = 0; i < 1400; ++i) EXPECT_NEAR(one.x.data()[i], whole.data()[i], 1e-5);
}

TEST(Generate, MisuseIsExplained) {
  Generator rng(3);
  const Dynamics dynamics{.velocity =
                              velocity_of(nn::make_time_network({.dimension = 2, .hidden = {16}, .classes = 3}, rng))};
  EXPECT_THAT(
      [&] {
        generate(dynamics, Tensor::zeros({4, 2}), Indices({0, 1}), {});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("2 labels for 4 points")));
  EXPECT_THAT(
      [&] {
        generate(dynamics, Tensor::zeros({1, 2}), Indices({7}), {});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("7")));
}

}  // namespace
}  // namespace rill::flow
