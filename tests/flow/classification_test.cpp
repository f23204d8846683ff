#include "flow/metrics/classification.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "autodiff/parallel.hpp"

namespace rill::flow {
namespace {

using testing::DoubleEq;

constexpr Index kSide = 4;

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

TEST(Classifier, WhatItSaysDoesNotDependOnThreadsOrGroups) {
  const auto classifier = small_classifier(1);
  Generator rng(5);
  const Tensor x = Tensor::randn({130, kSide * kSide}, rng);  // three groups
  const int threads = thread_count();
  set_thread_count(1);
  const Classified one = classify(*classifier, x);
  set_thread_count(3);
  const Classified three = classify(*classifier, x);
  set_thread_count(threads);
  EXPECT_EQ(one.features.shape(), (Shape{130, 5}));
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
