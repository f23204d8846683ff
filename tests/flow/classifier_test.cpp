// Training a classifier, and asking it.
#include "flow/model/classifier.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "autodiff/parallel.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::flow {
namespace {

using testing::DoubleEq;
using testing_support::TemporaryFolder;

constexpr Index kSide = 4;

// Images of two classes, bright at the top or at the bottom, in noise.
datasets::Batch stripes(Index n, Generator& rng) {
  const Indices labels = rng.integers(n, 2);
  Tensor x = Tensor::randn({n, kSide * kSide}, rng) * 0.3;
  for (Index i = 0; i < n; ++i) {
    for (Index p = 0; p < kSide * kSide; ++p) {
      x.data()[i * kSide * kSide + p] += (p / kSide < kSide / 2) == (labels[i] == 0) ? Real(0.5) : Real(-0.5);
    }
  }
  return {x, labels};
}

std::shared_ptr<nn::ImageClassifier> small_classifier(std::uint64_t seed) {
  Generator rng(seed);
  nn::ImageClassifierDescription description;
  description.image = {kSide, kSide, 1};
  description.channels = {4};
  description.norm_groups = 2;
  description.features = 5;
  description.classes = 2;
  return std::make_shared<nn::ImageClassifier>(description, rng);
}

nn::TrainingOptions options(Index steps) {
  nn::TrainingOptions o;
  o.learning_rate = {.schedule = "cosine", .peak = 1e-2, .steps = steps};
  o.ema_decay = 0.9;
  return o;
}

datasets::BatchSource batches(Index n) {
  return [n](Index, Generator& rng) { return stripes(n, rng); };
}

std::vector<Real> weights_of(const nn::Module& module) {
  std::vector<Real> all;
  for (const Tensor& p : module.parameters()) all.insert(all.end(), p.values().begin(), p.values().end());
  return all;
}

TEST(Classifier, LearnsToTellStripesApart) {
  const auto classifier = small_classifier(1);
  ClassifierTrainer trainer(*classifier, batches(32), options(60), 3);
  const double before = trainer.step().loss;
  EXPECT_NEAR(before, std::log(2), 0.5);
  while (trainer.steps_done() < 60) trainer.step();
  Generator rng(4);
  const datasets::Batch fresh = stripes(500, rng);
  const Classified found = classify(*classifier, fresh.x_1);
  EXPECT_EQ(found.features.shape(), (Shape{500, 5}));
  EXPECT_GT(label_accuracy(found.labels, fresh.labels).value, 0.98);
}

TEST(Classifier, ResumesBitForBitWithItsDropout) {
  const TemporaryFolder folder;
  const auto straight = small_classifier(1), first = small_classifier(1), second = small_classifier(2);
  ClassifierTrainer whole(*straight, batches(8), options(12), 3), before(*first, batches(8), options(12), 3),
      after(*second, batches(8), options(12), 3);
  for (int i = 0; i < 12; ++i) whole.step();
  for (int i = 0; i < 5; ++i) before.step();
  before.save(folder / "state");
  after.load(folder / "state");
  for (int i = 5; i < 12; ++i) after.step();
  EXPECT_EQ(weights_of(*straight), weights_of(*second));
}

TEST(Classifier, WhatItSaysDoesNotDependOnThreadsOrGroups) {
  const auto classifier = small_classifier(1);
  Generator rng(5);
  const Tensor x = stripes(130, rng).x_1;  // three groups
  const int threads = thread_count();
  set_thread_count(1);
  const Classified one = classify(*classifier, x);
  set_thread_count(3);
  const Classified three = classify(*classifier, x);
  set_thread_count(threads);
  EXPECT_EQ(one.features.to_vector(), three.features.to_vector());
  EXPECT_TRUE(std::equal(one.labels.begin(), one.labels.end(), three.labels.begin()));
  const Tensor features = classifier->features(x), logits = classifier->forward(x);
  for (Index i = 0; i < features.size(); ++i) EXPECT_NEAR(features.data()[i], one.features.data()[i], 1e-5);
  for (Index n = 0; n < 130; ++n) {
    const Real* row = logits.data() + 2 * n;
    if (std::abs(row[0] - row[1]) < 1e-4) continue;
    EXPECT_EQ(one.labels[n], row[1] > row[0] ? 1 : 0);
  }
}

TEST(Classifier, LabelAccuracyIsTheShareOfEqualLabels) {
  const Estimate accuracy = label_accuracy(Indices({0, 1, 2, 2}), Indices({0, 1, 1, 2}));
  EXPECT_THAT(accuracy.value, DoubleEq(0.75));
  EXPECT_THROW(label_accuracy(Indices({0}), Indices({0, 1})), std::invalid_argument);
  EXPECT_THROW(label_accuracy(Indices(), Indices()), std::invalid_argument);
}

TEST(Classifier, MisuseIsExplained) {
  const auto classifier = small_classifier(1);
  EXPECT_THROW(classify(*classifier, Tensor::zeros({0, 16})), std::invalid_argument);
  EXPECT_THROW(classify(*classifier, Tensor::zeros({2, 15})), std::invalid_argument);
}

}  // namespace
}  // namespace rill::flow
