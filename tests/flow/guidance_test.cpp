// Classifier-free guidance and the dropping of labels.
#include "flow/model/guidance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <memory>

#include "flow/model/generate.hpp"
#include "flow/path/example.hpp"
#include "flow/path/path.hpp"
#include "nn/time_networks.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;

// The exact velocity of two classes, N(-2, 1/4) and N(2, 1/4) with shares of one half, on the straight path from N(0,
// 1). Of one class: center + rate (x - t center); without a class, the average over the class given x.
class TwoClasses final : public VelocityField {
 public:
  TwoClasses() : VelocityField(1, 2) {}

  Tensor operator()(const Tensor& x, const Tensor& t, const Indices& labels = {}) const override {
    check_input(x, t, labels);
    rows_ += x.dim(0);
    const Tensor time = per_sample(t, 2), v = 0.25 * square(time) + square(1 - time);
    const Tensor rate = (0.25 * time - (1 - time)) / v;
    Tensor center = 2 * tanh(2 * time * x / v);  // E[center | x]
    Tensor known = Tensor::zeros(x.shape()), is_known = Tensor::zeros(x.shape());
    for (Index n = 0; n < x.dim(0); ++n) {
      if (labels.size() == 0 || labels[n] == classes()) continue;
      is_known.data()[n] = 1;
      known.data()[n] = labels[n] == 0 ? -2 : 2;
    }
    center = where(is_known, known, center);
    return center + rate * (x - time * center);
  }

  Index rows() const { return rows_; }

 private:
  mutable std::atomic<Index> rows_ = 0;  // generate() asks from several threads
};

TEST(Guidance, IsLinearInTheWeight) {
  Generator rng(1);
  const auto model = nn::make_time_network({.hidden = {16}, .classes = 3}, rng);
  const Tensor x = Tensor::randn({5, 2}, rng), t = Tensor::rand({5}, rng);
  const Indices labels({0, 2, 1, 3, 0});  // 3: no class, which guidance leaves as it is
  const auto at = [&](double weight) { return GuidedVelocity(velocity_of(model), weight)(x, t, labels); };
  EXPECT_EQ(at(0).to_vector(), model->forward(x, t).to_vector());
  EXPECT_EQ(at(1).to_vector(), model->forward(x, t, labels).to_vector());
  const Tensor none = at(0), plain = at(1), strong = at(2.5);
  for (Index i = 0; i < 10; ++i) {
    EXPECT_NEAR(strong.data()[i], none.data()[i] + 2.5 * (plain.data()[i] - none.data()[i]), 1e-6);
  }
  for (const Index i : {6, 7}) EXPECT_NEAR(strong.data()[i], none.data()[i], 1e-6);
  EXPECT_NE(strong.to_vector(), plain.to_vector());
}

TEST(Guidance, CostsOnePassOfTwiceTheRows) {
  const auto field = std::make_shared<const TwoClasses>();
  const Tensor x = Tensor::zeros({4, 1}), t = Tensor::zeros({4});
  const Indices labels({0, 1, 0, 1});
  GuidedVelocity(field, 0)(x, t, labels);
  GuidedVelocity(field, 1)(x, t, labels);
  EXPECT_EQ(field->rows(), 8);
  GuidedVelocity(field, 2)(x, t, labels);
  EXPECT_EQ(field->rows(), 16);
}

TEST(Guidance, SharpensTheClasses) {
  // Unguided the class has its mean and deviation; guided, points move further from the other class.
  const Dynamics dynamics{.velocity = std::make_shared<const TwoClasses>()};
  Generator rng(2);
  const Index n = 4000;
  const Tensor x_0 = Tensor::randn({n, 1}, rng);
  const Indices labels(std::vector<Index>(static_cast<std::size_t>(n), 1));
  const auto mean_at = [&](double weight) {
    const Tensor x_1 = generate(guided(dynamics, weight), x_0, labels, {.solver = FixedSteps{&kRk4, 40}}).x;
    return static_cast<double>(mean(x_1).item());
  };
  const double error = 5 * 0.5 / std::sqrt(static_cast<double>(n));
  EXPECT_NEAR(mean_at(1), 2, error);
  EXPECT_NEAR(mean_at(0), 0, 2 * 5 / std::sqrt(static_cast<double>(n))) << "both classes";
  EXPECT_GT(mean_at(3), 2 + 2 * error);
}

TEST(Guidance, MisuseIsExplained) {
  Generator rng(3);
  const auto plain = nn::make_time_network({.hidden = {4}}, rng);
  EXPECT_THAT(misuse([&] { GuidedVelocity(velocity_of(plain), 2); }),
              HasSubstr("no classes; train one with labels, or sample without"));
  const auto field = std::make_shared<const TwoClasses>();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_THAT(misuse([&] { GuidedVelocity(field, infinity); }), HasSubstr("finite weight"));
  const GuidedVelocity strong(field, 2);
  const Tensor x = Tensor::zeros({2, 1}), t = Tensor::zeros({2});
  EXPECT_THAT(misuse([&] { strong(x, t); }), HasSubstr("no labels to guide toward"));
  EXPECT_THAT(misuse([&] { strong(x, t, Indices({1})); }), HasSubstr("1 labels for 2 points"));
  EXPECT_THAT(misuse([&] { strong(x, t, Indices({0, 3})); }), HasSubstr("label 3, expected 0 to 1, or 2"));
  EXPECT_THAT(misuse([&] { strong(Tensor::zeros({2, 2}), t, Indices({0, 1})); }), HasSubstr("[2, 2], expected [N, 1]"));
  EXPECT_THAT(misuse([&] { strong(x, Tensor::zeros({3}), Indices({0, 1})); }), HasSubstr("t has shape [3]"));
  EXPECT_THAT(misuse([&] { guided({.velocity = field, .no_guidance = "none of it"}, 2); }), HasSubstr("none of it"));
}

TEST(DropLabels, DropsEachByItself) {
  Generator rng(4);
  const Index n = 100'000;
  const Indices labels(rng.integers(n, 7));
  const double p = 0.15;
  const Indices kept = drop_labels(labels, p, 7, rng);
  Index dropped = 0, in_a_row = 0;
  for (Index i = 0; i < n; ++i) {
    if (kept[i] == 7) {
      ++dropped;
      if (i > 0 && kept[i - 1] == 7) ++in_a_row;
    } else {
      EXPECT_EQ(kept[i], labels[i]);
    }
  }
  const double count = static_cast<double>(n);
  EXPECT_NEAR(static_cast<double>(dropped) / count, p, 5 * std::sqrt(p * (1 - p) / count));
  EXPECT_NEAR(static_cast<double>(in_a_row) / count, p * p, 5 * p / std::sqrt(count)) << "independently";
  const Indices all = drop_labels(labels, 1, 7, rng), none = drop_labels(labels, 0, 7, rng);
  for (Index i = 0; i < 100; ++i) {
    EXPECT_EQ(all[i], 7);
    EXPECT_EQ(none[i], labels[i]);
  }
  EXPECT_THAT(misuse([&] { drop_labels(labels, 1.5, 7, rng); }), HasSubstr("from 0 to 1, got 1.5"));
}

}  // namespace
}  // namespace rill::flow
