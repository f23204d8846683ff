// Dropout: which numbers it keeps, that its gradient keeps the same, and that draws do not depend on threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"

namespace rill {
namespace {

TEST(Dropout, KeepsTheRightShareAndItsMean) {
  Generator rng(3);
  const Index n = 200'000;
  for (const double p : {0.1, 0.5, 0.9}) {
    const Tensor y = dropout(Tensor::ones({n}), p, rng);
    Index dropped = 0;
    for (const Real value : y.values()) {
      if (value == 0) {
        ++dropped;
      } else {
        EXPECT_FLOAT_EQ(static_cast<float>(value), static_cast<float>(1 / (1 - p)));
      }
    }
    // Five standard deviations of a binomial share.
    EXPECT_NEAR(static_cast<double>(dropped) / n, p, 5 * std::sqrt(p * (1 - p) / n));
  }
}

TEST(Dropout, EveryCallDrawsAnewAndTheSameOnAnyNumberOfThreads) {
  const Tensor x = Tensor::ones({100'003});
  const auto two_draws = [&] {
    Generator rng(4);
    const Tensor first = dropout(x, 0.5, rng), second = dropout(x, 0.5, rng);
    return std::pair(first.to_vector(), second.to_vector());
  };
  const int threads = thread_count();
  set_thread_count(1);
  const auto one = two_draws();
  set_thread_count(3);
  const auto three = two_draws();
  set_thread_count(threads);
  EXPECT_EQ(one, three);
  Index equal = 0;
  for (std::size_t i = 0; i < one.first.size(); ++i) equal += one.first[i] == one.second[i];
  EXPECT_NEAR(static_cast<double>(equal) / 100'003, 0.5, 0.01);  // independent draws agree half the time
}

TEST(Dropout, TheGradientHasTheMaskOfTheForwardPass) {
  Generator rng(5);
  const Tensor x = Tensor::randn({5000}, rng).set_requires_grad();
  const Tensor y = dropout(x, 0.3, rng);
  sum(y).backward();
  for (Index i = 0; i < x.size(); ++i) {
    EXPECT_EQ(x.grad().data()[i] == 0, y.data()[i] == 0) << i;
    EXPECT_FLOAT_EQ(static_cast<float>(x.grad().data()[i] * x.data()[i]), static_cast<float>(y.data()[i])) << i;
  }
}

TEST(Dropout, Gradients) {
  testing::expect_gradients(
      [](const std::vector<Tensor>& v) {
        Generator rng(6);
        return square(dropout(v[0], 0.4, rng));
      },
      {Tensor::linspace(-2, 2, 20)});
}

TEST(Dropout, WhatIsDroppedIsZeroWhateverItWas) {
  const Real infinity = std::numeric_limits<Real>::infinity(), nan = std::numeric_limits<Real>::quiet_NaN();
  for (const double p : {0.5, 1.0}) {
    Generator rng(8);
    const Tensor mask = dropout(Tensor::ones({500}), p, rng);
    for (const Real special : {infinity, -infinity, nan}) {
      Generator again(8);
      const Tensor x = Tensor::full({500}, static_cast<double>(special)).set_requires_grad();
      const Tensor y = dropout(x, p, again), gx = grad({y}, {x}, {}, {x.detach()})[0];
      for (Index i = 0; i < 500; ++i) {
        EXPECT_EQ(y.data()[i] == 0, mask.data()[i] == 0) << i;
        EXPECT_EQ(gx.data()[i] == 0, mask.data()[i] == 0) << i;
      }
    }
  }
}

TEST(Dropout, TheEndsOfTheRangeAndMisuse) {
  Generator rng(7);
  const Tensor x = Tensor::from({1, 2, 3}, {3});
  EXPECT_THAT(dropout(x, 0, rng).to_vector(), ::testing::ElementsAre(1, 2, 3));
  EXPECT_THAT(dropout(x, 1, rng).to_vector(), ::testing::ElementsAre(0, 0, 0));
  EXPECT_EQ(dropout(Tensor::zeros({0, 3}), 0.5, rng).shape(), (Shape{0, 3}));
  EXPECT_EQ(misuse([&] { dropout(x, 1.5, rng); }), "dropout: expected a probability from 0 to 1, got 1.5");
  EXPECT_EQ(misuse([&] { dropout(x, -0.1, rng); }), "dropout: expected a probability from 0 to 1, got -0.1");
}

}  // namespace
}  // namespace rill
