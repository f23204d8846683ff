#include "nn/ema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/error.hpp"
#include "nn/optimizer.hpp"
#include "tests/misuse.hpp"

namespace rill::nn {
namespace {

using testing::ElementsAre;

// Lets the average follow a parameter that stays as it is.
void update(Ema& ema, const Tensor& p) { Sgd({{"p", p}}, {}).step(1, &ema); }

Real average(const Ema& ema) { return ema.averages()[0].tensor.data()[0]; }

TEST(Ema, FollowsItsFormulaThroughTheWarmUp) {
  Tensor p = Tensor::full({3}, 5).set_requires_grad();
  Ema ema({{"p", p}}, 0.5);
  EXPECT_EQ(average(ema), 5);
  double expected = 5;
  for (int n = 0; n < 20; ++n) {
    std::fill_n(p.data(), 3, static_cast<Real>(std::sin(n)));
    update(ema, p);
    const double d = n < 8 ? (1.0 + n) / (10.0 + n) : 0.5;  // 9 / 18 reaches the decay
    expected = d * expected + (1 - d) * std::sin(n);
    EXPECT_NEAR(average(ema), expected, 1e-6);
  }
  EXPECT_EQ(ema.update_count(), 20);
}

TEST(Ema, ForgetsTheStartGeometricallyAfterward) {
  Tensor p = Tensor::full({1}, 1).set_requires_grad();
  Ema ema({{"p", p}}, 0.9);
  ema.load_state({{"p", Tensor::zeros({1})}}, 1000, "state");  // past the warm-up: 1001 / 1010 > 0.9
  for (int n = 0; n < 30; ++n) update(ema, p);
  EXPECT_NEAR(average(ema), 1 - std::pow(0.9, 30), 1e-6);
}

TEST(Ema, TheScopeLendsTheAveragesToTheParameters) {
  Tensor p = Tensor::from({1, 2}, {2});
  Ema ema({{"p", p}}, 0.9);
  p.data()[0] = 7;
  {
    const EmaScope averaged(ema);
    EXPECT_THAT(p.to_vector(), ElementsAre(1, 2));
  }
  EXPECT_THAT(p.to_vector(), ElementsAre(7, 2));
  EXPECT_THAT(ema.averages()[0].tensor.to_vector(), ElementsAre(1, 2));
}

TEST(Ema, TheScopeLendsABufferThatIsListedTwiceOnce) {
  Tensor w = Tensor::from({2}, {1}).set_requires_grad();
  Ema ema({{"a", w}, {"b", w}}, 0.9);
  EXPECT_EQ(ema.averages().size(), 1u);
  w.data()[0] = 5;
  {
    const EmaScope averaged(ema);
    EXPECT_EQ(w.item(), 2);
  }
  EXPECT_EQ(w.item(), 5);
}

TEST(Ema, WithinAScopeNothingElseMayTouchTheNumbers) {
  Tensor p = Tensor::from({1}, {1}).set_requires_grad();
  Ema ema({{"p", p}}, 0.5);
  p.data()[0] = 5;
  Sgd sgd({{"p", p}}, {});
  p.set_grad(Tensor::ones({1}));
  {
    const EmaScope averaged(ema);
    const auto in_scope = testing::HasSubstr("EmaScope");
    EXPECT_THAT(misuse([&] { const EmaScope again(ema); }), in_scope);
    EXPECT_THAT(misuse([&] { sgd.step(1, &ema); }), in_scope);
    EXPECT_THAT(misuse([&] { ema.averages(); }), in_scope);
    EXPECT_THAT(misuse([&] { ema.load_state({{"p", p}}, 0, "state"); }), in_scope);
    EXPECT_EQ(p.item(), 1);
  }
  EXPECT_EQ(p.item(), 5);
  EXPECT_EQ(sgd.step_count(), 0);
}

// The buffers, their names and their order.
TEST(Ema, OfOtherParametersIsRefusedBeforeAnythingChanges) {
  Tensor a = Tensor::zeros({4}).set_requires_grad(), b = Tensor::zeros({4}).set_requires_grad();
  Tensor small = Tensor::zeros({1}).set_requires_grad();
  const NamedTensors trained = {{"a", small}, {"b", b}};
  Sgd sgd(trained, {.learning_rate = 1});
  small.set_grad(Tensor::ones({1}));
  b.set_grad(Tensor::ones({4}));
  for (const NamedTensors& others : {NamedTensors{{"b", b}, {"a", small}},          // another order
                                     NamedTensors{{"a", a}, {"b", b}},              // another buffer
                                     NamedTensors{{"a", small}, {"b", b.clone()}},  // equal numbers
                                     NamedTensors{{"a", small}, {"x", b}},          // another name
                                     NamedTensors{{"a", small}}, NamedTensors{{"a", small}, {"b", b}, {"c", a}}}) {
    Ema ema(others, 0.5);
    EXPECT_THAT(misuse([&] { sgd.step(1, &ema); }), testing::StartsWith("optimizer: an average of "));
    EXPECT_EQ(ema.update_count(), 0);
  }
  EXPECT_EQ(sgd.step_count(), 0);
  EXPECT_EQ(small.item(), 0);
  Ema right(trained, 0.5);
  sgd.step(1, &right);
  EXPECT_EQ(small.item(), -1);
}

TEST(Ema, ContinuesBitForBitFromItsState) {
  Tensor p = Tensor::full({5}, 1).set_requires_grad();
  Ema whole({{"p", p}}, 0.999);
  update(whole, p);
  Ema resumed({{"p", p}}, 0.999);
  resumed.load_state(whole.averages(), whole.update_count(), "state");
  std::fill_n(p.data(), 5, Real(3));
  update(whole, p);
  update(resumed, p);
  EXPECT_EQ(whole.averages()[0].tensor.to_vector(), resumed.averages()[0].tensor.to_vector());
}

TEST(Ema, RefusesDecaysAndStatesThatDoNotFit) {
  const Tensor p = Tensor::zeros({2});
  EXPECT_THROW(Ema({{"p", p}}, 1), std::invalid_argument);
  EXPECT_THROW(Ema({{"p", p}}, -0.1), std::invalid_argument);
  Ema ema({{"p", p}}, 0.9);
  EXPECT_THROW(ema.load_state({{"q", p}}, 0, "state"), FileError);
  EXPECT_THROW(ema.load_state({{"p", p}}, -1, "state"), FileError);
}

}  // namespace
}  // namespace rill::nn
