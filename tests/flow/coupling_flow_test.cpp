// Coupling flows: a density that integrates to 1, samples that have it, and training.
#include "flow/model/coupling_flow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "datasets/data.hpp"
#include "flow/metrics/dequantization.hpp"
#include "tests/misuse.hpp"
#include "tests/nn/parameter_gradients.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;

double number(const Tensor& x) { return static_cast<double>(x.item()); }

TEST(CouplingFlow, ItsDensityIsOne) {
  for (const std::string& transform : coupling_transform_names()) {
    for (const Index classes : {0, 2}) {
      Generator rng(1);
      CouplingFlow model(
          {.shape = {.classes = classes}, .layers = 3, .coupling = {.transform = transform, .hidden = {8}}}, rng);
      nn::randomize_parameters(model.module(), 0.2, 2);
      constexpr Index kCells = 300;
      constexpr double kWide = 16, kCell = 2 * kWide / kCells;
      Tensor x = Tensor::empty({kCells * kCells, 2});
      for (Index i = 0; i < kCells * kCells; ++i) {
        x.data()[2 * i] = static_cast<Real>(-kWide + kCell * (static_cast<double>(i % kCells) + 0.5));
        x.data()[2 * i + 1] = static_cast<Real>(-kWide + kCell * (static_cast<double>(i / kCells) + 0.5));
      }
      const std::vector<Indices> labels =
          classes == 0
              ? std::vector<Indices>{Indices()}
              : std::vector<Indices>{Indices(), Indices(std::vector<Index>(static_cast<std::size_t>(x.dim(0)), 1))};
      for (const Indices& own : labels) {
        EXPECT_NEAR(number(sum(exp(model.log_density(x, own)))) * kCell * kCell, 1, 0.01) << transform << classes;
      }
    }
  }
}

TEST(CouplingFlow, WithoutLabelsIsTheMixtureOfItsClasses) {
  Generator rng(1);
  CouplingFlow model({.shape = {.classes = 3}, .layers = 2, .coupling = {.hidden = {8}}}, rng);
  nn::randomize_parameters(model.module(), 0.5, 2);
  const Tensor x = Tensor::randn({4, 2}, rng);
  Tensor total = Tensor::zeros({4});
  for (Index label = 0; label < 3; ++label) {
    total = total + exp(model.log_density(x, Indices(std::vector<Index>(4, label)))) / 3.0;
  }
  EXPECT_LT(number(max(abs(log(total) - model.log_density(x, {})))), 1e-4);
  EXPECT_THAT(misuse([&] { model.log_density(x, Indices({0, 1, 2, 3})); }), HasSubstr("label 3, expected 0 to 2"));
  EXPECT_THAT(misuse([&] { model.log_density(x, Indices({0, 1})); }), HasSubstr("2 labels"));
}

TEST(CouplingFlow, DoesNotDependOnThreads) {
  Generator rng(1);
  const CouplingFlow model({.layers = 2}, rng);
  const Tensor x = Tensor::randn({3000, 2}, rng);
  const auto all = [&] {
    Generator own(5);
    std::vector<Real> numbers = model.log_density(x, {}).to_vector();
    const std::vector<Real> drawn = model.sample(3000, {}, own).to_vector();
    numbers.insert(numbers.end(), drawn.begin(), drawn.end());
    return numbers;
  };
  const int threads = thread_count();
  set_thread_count(1);
  const std::vector<Real> alone = all();
  set_thread_count(3);
  EXPECT_EQ(all(), alone);
  set_thread_count(threads);
}

TEST(CouplingFlow, LearnsMoons) {
  const auto data = datasets::open_data({.source = "moons"});
  for (const std::string& transform : coupling_transform_names()) {
    Generator rng(3);
    CouplingFlow model({.layers = 6, .coupling = {.transform = transform, .hidden = {32, 32}}}, rng);
    nn::TrainerOptions options;
    options.learning_rate = {.schedule = "cosine", .peak = 0.005, .steps = 500};
    const auto loop = model.trainer(data->batches(128, 0), options);
    for (int i = 0; i < 500; ++i) loop->step();
    // The entropy is 1.68 nats; a Gaussian of the same moments has 3.4.
    const double nll = model.held_out_loss(data->batches(1000, 0), 5000, 1);
    EXPECT_LT(nll, transform == "spline" ? 1.85 : 2.3) << transform;
  }
}

TEST(CouplingFlow, LearnsOneCoordinate) {
  Generator rng(3);
  CouplingFlow model({.shape = {.dimension = 1}, .layers = 2}, rng);
  const auto batches = [](Index, Generator& r) {
    const Tensor left = less(Tensor::rand({128, 1}, r), Tensor::scalar(0.3));
    return datasets::Batch{where(left, Tensor::scalar(-2), Tensor::scalar(1)) + 0.3 * Tensor::randn({128, 1}, r), {}};
  };
  nn::TrainerOptions options;
  options.learning_rate = {.schedule = "cosine", .peak = 0.02, .steps = 400};
  const auto loop = model.trainer(batches, options);
  for (int i = 0; i < 400; ++i) loop->step();
  // -0.3 ln 0.3 - 0.7 ln 0.7 + ln(0.3 sqrt(2 pi e))
  EXPECT_NEAR(model.held_out_loss(batches, 10'000, 1), 0.611 + 0.215, 0.05);
  EXPECT_NEAR(number(mean(less(model.sample(10'000, {}, rng), Tensor::scalar(-0.5)))), 0.3, 0.02);
}

TEST(CouplingFlow, GoesThroughAllScalesOfAnImage) {
  Generator rng(4);
  CouplingFlow model({.shape = {.dimension = 32, .image = {4, 4, 2}},
                      .layers = 2,
                      .coupling = {.bins = 4, .channels = 6},
                      .levels = 2},
                     rng);
  nn::randomize_parameters(model.module(), 0.2, 5);
  const Tensor pixels = 1.8 * Tensor::rand({5, 32}, rng) - 0.9;
  const Mapped forth = model.bijection()->forward(pixels, {});
  EXPECT_LT(number(max(abs(model.bijection()->inverse(forth.y, {}).y - pixels))), sizeof(Real) == 8 ? 1e-9 : 1e-3);
  for (const Tensor x = model.sample(5, {}, rng); const Real pixel : x.values()) {
    EXPECT_GT(pixel, -1.2);
    EXPECT_LT(pixel, 1.2);
  }
  EXPECT_THAT(misuse([] {
                Generator own(0);
                CouplingFlow({.shape = {.dimension = 36, .image = {6, 6, 1}}, .levels = 2}, own);
              }),
              HasSubstr("3 x 3 pixels cannot be halved"));
  // Training makes levels continuous, and takes a step.
  const auto batches = [](Index, Generator& r) {
    Tensor levels = Tensor::empty({8, 32});
    for (Index i = 0; i < levels.size(); ++i) levels.data()[i] = static_cast<Real>(r.integers(1, 256)[0]);
    return datasets::Batch{levels / 127.5 - 1, {}};
  };
  const double before = model.held_out_loss(batches, 64, 1);
  nn::TrainerOptions options;
  options.learning_rate = {.peak = 0.01, .steps = 60};
  const auto loop = model.trainer(batches, options);
  for (int i = 0; i < 60; ++i) loop->step();
  const double after = model.held_out_loss(batches, 64, 1);
  EXPECT_LT(after, before);
  // Uniform levels: 32 ln 2 nats on [-1, 1)^32.
  EXPECT_GT(after, 32 * std::log(2.0) - 0.5);
  EXPECT_LT(after, 32 * std::log(2.0) + 6);
}

TEST(CouplingFlow, RefusesWhatIsNone) {
  const auto refused = [](const CouplingFlowDescription& description) {
    return misuse([&] {
      Generator rng(0);
      CouplingFlow(description, rng);
    });
  };
  EXPECT_THAT(refused({.coupling = {.transform = "splin"}}),
              HasSubstr("unknown transform 'splin' (did you mean spline?)"));
  EXPECT_THAT(refused({.layers = 0}), HasSubstr("layers: expected at least 1, got 0"));
  EXPECT_THAT(refused({.coupling = {.bins = 0}}), HasSubstr("bins: expected 1 to 499, got 0"));
  EXPECT_THAT(refused({.coupling = {.bound = -1}}), HasSubstr("bound: expected a number above 0"));
  EXPECT_THAT(refused({.coupling = {.hidden = {8, 0}}}), HasSubstr("hidden: a layer of size 0"));
}

}  // namespace
}  // namespace rill::flow
