#include "nn/learning_rate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace rill::nn {
namespace {

TEST(LearningRate, ConstantIsThePeak) {
  const LearningRate rate{.peak = 0.5};
  EXPECT_EQ(rate.at(0), 0.5);
  EXPECT_EQ(rate.at(1'000'000), 0.5);
}

TEST(LearningRate, WarmUpClimbsInEqualStepsToThePeak) {
  const LearningRate rate{.peak = 0.5, .warmup_steps = 5};
  for (Index step = 0; step < 5; ++step) EXPECT_NEAR(rate.at(step), 0.1 * static_cast<double>(step + 1), 1e-15);
  EXPECT_EQ(rate.at(5), 0.5);
}

TEST(LearningRate, CosineFallsFromThePeakToItsFinalFraction) {
  const LearningRate rate{.schedule = "cosine", .peak = 2, .final_fraction = 0.1, .steps = 100};
  EXPECT_EQ(rate.at(0), 2);
  EXPECT_NEAR(rate.at(25), 0.2 + 1.8 * (1 + std::sqrt(0.5)) / 2, 1e-12);
  EXPECT_NEAR(rate.at(50), 1.1, 1e-12);
  EXPECT_NEAR(rate.at(100), 0.2, 1e-12);
  EXPECT_NEAR(rate.at(1000), 0.2, 1e-12);
  for (Index step = 1; step <= 100; ++step) EXPECT_LT(rate.at(step), rate.at(step - 1));
  EXPECT_GT(rate.at(99), 0.2);  // no step is wasted on a rate of 0 when it ends there
}

TEST(LearningRate, CosineStartsAfterTheWarmUp) {
  const LearningRate rate{.schedule = "cosine", .peak = 1, .final_fraction = 0, .warmup_steps = 20, .steps = 120};
  EXPECT_NEAR(rate.at(9), 0.5, 1e-15);
  EXPECT_EQ(rate.at(19), 1);
  EXPECT_EQ(rate.at(20), 1);
  EXPECT_NEAR(rate.at(70), 0.5, 1e-12);
  EXPECT_NEAR(rate.at(120), 0, 1e-12);
}

TEST(LearningRate, ChecksItsFields) {
  EXPECT_NO_THROW(LearningRate{}.check());
  EXPECT_NO_THROW((LearningRate{.schedule = "cosine", .warmup_steps = 9, .steps = 10}.check()));
  EXPECT_THROW(LearningRate{.schedule = "linear"}.check(), std::invalid_argument);
  EXPECT_THROW(LearningRate{.peak = -1}.check(), std::invalid_argument);
  EXPECT_THROW(LearningRate{.final_fraction = -1}.check(), std::invalid_argument);
  EXPECT_THROW(LearningRate{.warmup_steps = -1}.check(), std::invalid_argument);
  EXPECT_THROW((LearningRate{.schedule = "cosine", .warmup_steps = 10, .steps = 10}.check()), std::invalid_argument);
}

}  // namespace
}  // namespace rill::nn
