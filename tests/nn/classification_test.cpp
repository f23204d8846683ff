// Training a classifier.
#include "nn/classification.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "nn/trainer.hpp"
#include "tests/temporary_folder.hpp"

namespace rill::nn {
namespace {

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

std::shared_ptr<ImageClassifier> small_classifier(std::uint64_t seed) {
  Generator rng(seed);
  ImageClassifierDescription description;
  description.image = {kSide, kSide, 1};
  description.channels = {4};
  description.norm_groups = 2;
  description.features = 5;
  description.classes = 2;
  return std::make_shared<ImageClassifier>(description, rng);
}

TrainerOptions options(Index steps) {
  TrainerOptions o;
  o.seed = 3;
  o.learning_rate = {.schedule = "cosine", .peak = 1e-2, .steps = steps};
  o.ema_decay = 0.9;
  return o;
}

Trainer<Classification> trainer_of(const std::shared_ptr<ImageClassifier>& classifier, Index batch, Index steps) {
  return {classifier->named_parameters(), Classification(classifier),
          [batch](Index, Generator& rng) { return stripes(batch, rng); }, options(steps)};
}

std::vector<Real> weights_of(const Module& module) {
  std::vector<Real> all;
  for (const Tensor& p : module.parameters()) all.insert(all.end(), p.values().begin(), p.values().end());
  return all;
}

TEST(Classifier, LearnsToTellStripesApart) {
  const auto classifier = small_classifier(1);
  Trainer<Classification> trainer = trainer_of(classifier, 32, 60);
  const double before = trainer.step().loss;
  EXPECT_NEAR(before, std::log(2), 0.5);
  while (trainer.steps_done() < 60) trainer.step();
  Generator rng(4);
  const datasets::Batch fresh = stripes(500, rng);
  const Tensor logits = classifier->forward(fresh.x_1);
  Index recognized = 0;
  for (Index i = 0; i < 500; ++i) {
    recognized += (logits.data()[2 * i + 1] > logits.data()[2 * i] ? 1 : 0) == fresh.labels[i];
  }
  EXPECT_GT(recognized, 490);
}

TEST(Classifier, ResumesBitForBitWithItsDropout) {
  const TemporaryFolder folder;
  const auto straight = small_classifier(1), first = small_classifier(1), second = small_classifier(2);
  Trainer<Classification> whole = trainer_of(straight, 8, 12), before = trainer_of(first, 8, 12),
                          after = trainer_of(second, 8, 12);
  for (int i = 0; i < 12; ++i) whole.step();
  for (int i = 0; i < 5; ++i) before.step();
  before.save(folder / "state");
  after.load(folder / "state");
  for (int i = 5; i < 12; ++i) after.step();
  EXPECT_EQ(weights_of(*straight), weights_of(*second));
}

TEST(Classifier, MeanLossIsThatOfBatchesOfEqualSize) {
  const auto classifier = small_classifier(1);
  const Classification objective(classifier);
  std::vector<double> losses;
  const datasets::BatchSource source = [&](Index position, Generator& rng) {
    EXPECT_EQ(position, std::ssize(losses));
    const datasets::Batch batch = stripes(8, rng);
    losses.push_back(cross_entropy(classifier->forward(batch.x_1), batch.labels).item());
    return batch;
  };
  const double loss = mean_loss(objective, source, 17, 5);
  ASSERT_EQ(losses.size(), 3u);
  EXPECT_NEAR(loss, (losses[0] + losses[1] + losses[2]) / 3, 1e-7);
  EXPECT_NE(losses[0], losses[1]);
  const std::vector<double> first = losses;
  losses.clear();
  EXPECT_EQ(mean_loss(objective, source, 17, 5), loss);
  EXPECT_EQ(losses, first);
}

}  // namespace
}  // namespace rill::nn
