// Couplings, examples, and examples made ahead of time.
#include "flow/path/example.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <set>
#include <stdexcept>
#include <vector>

#include "autodiff/parallel.hpp"
#include "flow/model/ahead.hpp"
#include "flow/model/generate.hpp"
#include "flow/model/trainer.hpp"
#include "nn/model.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;

double cost(const Tensor& x_0, const Tensor& x_1, const Indices& partner) {
  return static_cast<double>(sum(square(gather_rows(x_0, partner) - x_1)).item());
}

bool is_permutation(const Indices& partner) {
  return std::set<Index>(partner.begin(), partner.end()).size() == static_cast<std::size_t>(partner.size()) &&
         *std::max_element(partner.begin(), partner.end()) == partner.size() - 1;
}

TEST(Coupling, OptimalTransportIsThePermutationOfLeastCost) {
  Generator rng(1);
  const Tensor x_0 = Tensor::randn({7, 2}, rng), x_1 = Tensor::randn({7, 2}, rng) + 1;
  const Indices partner = couple({.name = "ot"}, x_0, x_1, {}, rng);
  std::vector<Index> order(7);
  std::iota(order.begin(), order.end(), Index{0});
  double least = cost(x_0, x_1, order);
  while (std::next_permutation(order.begin(), order.end())) least = std::min(least, cost(x_0, x_1, order));
  EXPECT_TRUE(is_permutation(partner));
  EXPECT_NEAR(cost(x_0, x_1, partner), least, 1e-4);
  const Indices as_drawn = couple({}, x_0, x_1, {}, rng);
  for (Index i = 0; i < 7; ++i) EXPECT_EQ(as_drawn[i], i);
}

TEST(Coupling, StaysWithinLabels) {
  Generator rng(2);
  const Index n = 120;
  const Tensor x_0 = Tensor::randn({n, 2, 2}, rng);
  const Indices labels(rng.integers(n, 3));
  Tensor x_1 = Tensor::randn({n, 2, 2}, rng);
  for (Index i = 0; i < n; ++i) x_1.data()[4 * i] += static_cast<Real>(5 * labels[i]);
  for (const CouplingDescription& coupling :
       {CouplingDescription{.name = "ot"}, CouplingDescription{.name = "entropic", .regularization = 0.5}}) {
    const Indices partner = couple(coupling, x_0, x_1, labels, rng);
    for (Index i = 0; i < n; ++i) EXPECT_EQ(labels[partner[i]], labels[i]) << coupling.name;
    EXPECT_EQ(is_permutation(partner), coupling.name == "ot");
    EXPECT_LT(cost(x_0, x_1, partner), cost(x_0, x_1, couple({}, x_0, x_1, {}, rng)));
  }
}

TEST(Coupling, EntropicPairsFollowThePlan) {
  // Between N(0, 1) and N(0, 1) with regularization 2 sigma^2 the covariance is (sqrt(4 + sigma^4) - sigma^2) / 2.
  Generator rng(3);
  const Index n = 1000;
  const double sigma = 1;
  double covariance = 0;
  for (int round = 0; round < 10; ++round) {
    const Tensor x_0 = Tensor::randn({n, 1}, rng), x_1 = Tensor::randn({n, 1}, rng);
    const Indices partner = couple({.name = "entropic", .regularization = 2 * sigma * sigma}, x_0, x_1, {}, rng);
    covariance += static_cast<double>(mean(gather_rows(x_0, partner) * x_1).item()) / 10;
  }
  EXPECT_NEAR(covariance, 0.61803, 0.03);  // ten thousand pairs: some 0.012 of standard error
}

TEST(Coupling, MisuseIsExplained) {
  Generator rng(4);
  const Tensor x = Tensor::zeros({4, 2});
  const auto message = [&](const CouplingDescription& coupling, const Tensor& x_0, const Indices& labels = {}) {
    return misuse([&] { couple(coupling, x_0, x, labels, rng); });
  };
  EXPECT_THAT(message({.name = "optimal"}, x), HasSubstr("known: independent, ot, entropic"));
  EXPECT_THAT(message({.name = "ot"}, Tensor::zeros({3, 2})), HasSubstr("draw batches of the same size"));
  EXPECT_THAT(message({.name = "ot"}, x, Indices({1, 2})), HasSubstr("2 labels for 4 points"));
  EXPECT_THAT(message({.name = "ot", .regularization = 1}, x), HasSubstr("only the coupling entropic"));
  EXPECT_THAT(message({.name = "entropic"}, x), HasSubstr("use the coupling ot"));
}

TEST(Examples, LabelsAreDroppedAndTheSourceIsAnyDensity) {
  ExampleOptions options;
  options.label_dropout = 0.25;
  options.no_class = 10;
  options.source = [](const Shape& shape, Generator&) { return Tensor::full(shape, 3); };
  const ExampleMaker maker(options);
  Generator rng(5);
  const Index n = 20'000;
  const datasets::Batch batch{Tensor::zeros({n, 1}), Indices(std::vector<Index>(static_cast<std::size_t>(n), 4))};
  const Example example = maker.make(batch, rng);
  const auto dropped = static_cast<double>(std::count(example.labels.begin(), example.labels.end(), 10));
  EXPECT_NEAR(dropped / n, 0.25, 5 * std::sqrt(0.25 * 0.75 / n));
  EXPECT_EQ(std::count(example.labels.begin(), example.labels.end(), 4), n - static_cast<Index>(dropped));
  for (Index i = 0; i < n; ++i) {
    ASSERT_NEAR(example.sample.x_t.data()[i], 3 * (1 - example.sample.t.data()[i]), 1e-6);
    ASSERT_NEAR(example.sample.dx_t.data()[i], -3, 0);
  }
  options.source = [](const Shape& shape, Generator&) { return Tensor::zeros({shape[0], 5}); };
  EXPECT_THAT(misuse([&] { ExampleMaker(options).make(batch, rng); }), HasSubstr("[20000, 5]"));
  options.label_dropout = 1;
  EXPECT_THAT(misuse([&] { ExampleMaker maker_of_none(options); }), HasSubstr("label_dropout"));
}

TEST(Ahead, HandsOutResultsInOrder) {
  std::atomic<int> made{0};
  {
    Ahead<Index> ahead(
        [&](Index number) {
          ++made;
          if (number == 7) throw std::runtime_error("seven");
          return number * number;
        },
        3, 4);
    for (Index number = 3; number < 60; ++number) {
      if (number == 7) {
        EXPECT_THROW(ahead.take(), std::runtime_error);
      } else {
        EXPECT_EQ(ahead.take(), number * number);
      }
    }
  }
  EXPECT_LE(made, 57 + 8) << "at most two for each of the four threads beyond what was taken";
}

// The weights after some steps of training with optimal transport.
std::vector<Real> weights_after_training(int threads) {
  const int before = thread_count();
  set_thread_count(threads);
  Generator rng(6);
  const auto model = nn::make_model({.dimension = 2, .hidden = {16}}, rng);
  TrainerOptions options;
  options.examples.coupling.name = "ot";
  Trainer trainer(
      *model,
      [](Index, Generator& step_rng) {
        return datasets::Batch{Tensor::randn({64, 2}, step_rng) + 2, {}};
      },
      options);
  for (int step = 0; step < 30; ++step) trainer.step();
  set_thread_count(before);
  std::vector<Real> weights;
  for (const Tensor& p : model->parameters()) weights.insert(weights.end(), p.values().begin(), p.values().end());
  return weights;
}

TEST(Trainer, IsTheSameWithExamplesMadeAhead) { EXPECT_EQ(weights_after_training(1), weights_after_training(4)); }

TEST(Trainer, LearnsAScoreOnABridgeOnly) {
  Generator rng(7);
  const auto model = nn::make_model({.dimension = 1, .hidden = {16}, .score = true}, rng);
  const datasets::BatchSource source = [](Index, Generator& step_rng) {
    return datasets::Batch{Tensor::randn({64, 1}, step_rng), {}};
  };
  EXPECT_THAT(misuse([&] { Trainer(*model, source, {}); }), HasSubstr("schroedinger-bridge"));
  TrainerOptions options;
  options.examples.path = {.name = "schroedinger-bridge", .sigma = 1};
  options.learning_rate = {.schedule = "cosine", .peak = 1e-2, .steps = 1000};
  options.clip_norm = 1;
  Trainer trainer(*model, source, options);
  for (int step = 0; step < 1000; ++step) trainer.step();
  // At t = 1/2 the points are N(0, 3/4): a quarter each from both ends and from the bridge.
  const Tensor x = Tensor::from({-1, 0, 1}, {3, 1}), drift = model->score_drift(x, Tensor::full({3}, 0.5));
  for (Index i = 0; i < 3; ++i) EXPECT_NEAR(drift.data()[i], -0.5 * x.data()[i] / 0.75, 0.1);
}

TEST(Trainer, LearnsTheSchroedingerBridge) {
  // From N(-a, 1) to N(a, 1) with sigma = 1 the plan has the covariance c = (sqrt(4 + sigma^4) - sigma^2) / 2, the
  // marginals have the mean a (2 t - 1) and the variance (1 - t)^2 + t^2 + t (1 - t) sqrt(4 + sigma^4); the flow and
  // the diffusion share them. Pairs are drawn from the plan itself, which no batch of Sinkhorn's has to estimate.
  constexpr double kShift = 1, kSigma = 1;
  const double root = std::sqrt(4 + std::pow(kSigma, 4)), covariance = (root - kSigma * kSigma) / 2;
  Generator rng(8);
  const auto model = nn::make_model({.dimension = 1, .hidden = {32, 32}, .score = true}, rng);
  TrainerOptions options;
  options.examples.path = {.name = "schroedinger-bridge", .sigma = kSigma};
  options.examples.times = {.distribution = "logit-normal", .low_discrepancy = true};
  Tensor centred;  // x_1 - a of the batch at hand
  const datasets::BatchSource data = [&](Index, Generator& step_rng) {
    centred = Tensor::randn({512, 1}, step_rng);
    return datasets::Batch{centred + kShift, {}};
  };
  options.examples.source = [&](const Shape& shape, Generator& step_rng) {
    return covariance * centred + std::sqrt(1 - covariance * covariance) * Tensor::randn(shape, step_rng) - kShift;
  };
  options.learning_rate = {.schedule = "cosine", .peak = 5e-3, .steps = 2000};
  options.ema_decay = 0.998;
  Trainer trainer(*model, data, options);
  for (int step = 0; step < 2000; ++step) trainer.step();
  const nn::EmaScope averaged(*trainer.ema());
  const Index n = 30'000;
  const Tensor x_0 = Tensor::randn({n, 1}, rng) - kShift;
  const auto path = std::make_shared<const AffinePath>(make_path(options.examples.path));
  const auto sigma = [](double) { return kSigma; };
  // sde_test.cpp holds the exact equation to 2 %. Learning adds as much: the targets' variance has no bound at the
  // ends, and the rare large ones, by which the points spread, count for less with Adam.
  for (const GenerateOptions& generating :
       {GenerateOptions{.solver = FixedSteps{&kRk4, 12}, .keep_trajectory = true},
        GenerateOptions{.solver = StochasticSteps{SdeMethod::kHeun, 40, path, sigma, 9}, .keep_trajectory = true}}) {
    const Generated moved = generate(*model, x_0, {}, generating);
    for (const std::size_t part : {1, 2, 4}) {  // t = 1/4, 1/2, 1
      const Tensor& x = moved.trajectory[part * (moved.times.size() - 1) / 4];
      const double t = static_cast<double>(part) / 4, average = mean(x).item();
      const double variance = (1 - t) * (1 - t) + t * t + t * (1 - t) * root;
      EXPECT_NEAR(average, kShift * (2 * t - 1), 0.03) << "t = " << t;
      EXPECT_NEAR(mean(square(x - average)).item(), variance, 0.03 * variance) << "t = " << t;
    }
  }
}

}  // namespace
}  // namespace rill::flow
