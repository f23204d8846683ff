// Max and average pooling and nearest upsampling: values, gradients, ties, NaN, misuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"

namespace rill {
namespace {

using ::testing::ElementsAre;
using testing::expect_gradients;
using Inputs = std::vector<Tensor>;

// Distinct numbers a step of differentiation cannot reorder: a permutation of 0, 0.1, 0.2, ...
Tensor distinct(const Shape& shape) {
  Generator rng(23);
  Tensor x = Tensor::empty(shape);
  Index i = 0;
  for (const Index place : rng.permutation(x.size()))
    x.data()[i++] = static_cast<Real>(0.1 * static_cast<double>(place));
  return x;
}

// Pooling by the definition: f(values of the window inside the image).
template <class F>
void expect_windows(const Tensor& x, const Pool& pool, const Tensor& y, const F& f) {
  const Index stride = pool.stride ? pool.stride : pool.window;
  const Index rows = (x.dim(1) + 2 * pool.padding - pool.window) / stride + 1;
  const Index columns = (x.dim(2) + 2 * pool.padding - pool.window) / stride + 1;
  ASSERT_EQ(y.shape(), (Shape{x.dim(0), rows, columns, x.dim(3)}));
  for (Index n = 0; n < x.dim(0); ++n) {
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < columns; ++c) {
        for (Index k = 0; k < x.dim(3); ++k) {
          std::vector<Real> inside;
          for (Index i = r * stride - pool.padding; i < r * stride - pool.padding + pool.window; ++i) {
            for (Index j = c * stride - pool.padding; j < c * stride - pool.padding + pool.window; ++j) {
              if (i < 0 || i >= x.dim(1) || j < 0 || j >= x.dim(2)) continue;
              inside.push_back(x.data()[((n * x.dim(1) + i) * x.dim(2) + j) * x.dim(3) + k]);
            }
          }
          ASSERT_NEAR(y.data()[((n * rows + r) * columns + c) * x.dim(3) + k], f(inside), 1e-4)
              << "window " << pool.window << " stride " << stride << " padding " << pool.padding;
        }
      }
    }
  }
}

const Pool kPools[] = {{2}, {3}, {2, 1}, {3, 2, 1}, {3, 1, 1}, {2, 3}, {5, 2, 2}, {1, 2}};

TEST(AveragePool, OfEqualNumbersIsThatNumber) {
  for (const Index window : {2, 3, 5, 7, 41, 512}) {
    for (const double value : {1., 0.1, 1e-30, static_cast<double>(std::numeric_limits<Real>::max())}) {
      Tensor x = Tensor::full({1, window, window, 1}, static_cast<Real>(value)).set_requires_grad();
      const Tensor y = average_pool(x, {window});
      const auto expected = static_cast<double>(static_cast<Real>(value));
      EXPECT_NEAR(static_cast<double>(y.item()) / expected, 1,
                  value == 1 ? 0 : 32 * std::numeric_limits<Real>::epsilon())
          << window << ' ' << value;
      y.backward();
      EXPECT_EQ(x.grad().data()[window], Real(1) / static_cast<Real>(window * window)) << window;
    }
  }
}

TEST(Pooling, ValuesAreThoseOfTheDefinition) {
  for (const Index channels : {1, 3, 16, 21}) {
    const Tensor x = distinct({2, 7, 6, channels});
    for (const Pool& pool : kPools) {
      expect_windows(x, pool, max_pool(x, pool),
                     [](const std::vector<Real>& v) { return *std::max_element(v.begin(), v.end()); });
      expect_windows(x, pool, average_pool(x, pool), [&](const std::vector<Real>& v) {
        double total = 0;
        for (const Real value : v) total += static_cast<double>(value);
        return total / static_cast<double>(pool.window * pool.window);
      });
    }
  }
}

TEST(Pooling, Gradients) {
  for (const Pool& pool : kPools) {
    SCOPED_TRACE(concat("window ", pool.window, " stride ", pool.stride, " padding ", pool.padding));
    expect_gradients([&](const Inputs& v) { return square(max_pool(v[0], pool)); }, {distinct({1, 5, 6, 2})});
    expect_gradients([&](const Inputs& v) { return square(average_pool(v[0], pool)); }, {distinct({1, 5, 6, 2})});
  }
}

TEST(MaxPool, TheFirstOfEqualMaximaGetsTheGradient) {
  const Tensor x = Tensor::from({1, 3, 3, 3}, {1, 2, 2, 1}).set_requires_grad();
  sum(max_pool(x, {2})).backward();
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(0, 1, 0, 0));
}

TEST(MaxPool, NanAndInfinities) {
  constexpr Real inf = std::numeric_limits<Real>::infinity(), nan = std::numeric_limits<Real>::quiet_NaN();
  for (Index at = 0; at < 4; ++at) {
    Tensor x = Tensor::from({1, inf, 2, -inf}, {1, 2, 2, 1});
    x.data()[at] = nan;
    EXPECT_TRUE(std::isnan(max_pool(x, {2}).item())) << at;
  }
  // The border is not a number that could win, nor is it taken for one where all are -infinity.
  const Tensor low = Tensor::full({1, 2, 2, 3}, -std::numeric_limits<double>::infinity()).set_requires_grad();
  const Tensor y = max_pool(low, {2, 2, 1});
  for (const Real value : y.values()) EXPECT_EQ(value, -inf);
  sum(y).backward();
  for (const Real g : low.grad().values()) EXPECT_EQ(g, 1);
}

TEST(UpsampleNearest, ValuesAndGradients) {
  const Tensor x = Tensor::from({1, 2, 3, 4}, {1, 2, 2, 1});
  EXPECT_THAT(upsample_nearest(x, 2).to_vector(), ElementsAre(1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4));
  EXPECT_EQ(upsample_nearest(x, 3).shape(), (Shape{1, 6, 6, 1}));
  EXPECT_EQ(upsample_nearest(x, 1).to_vector(), x.to_vector());
  for (const Index factor : {1, 2, 3}) {
    expect_gradients([=](const Inputs& v) { return square(upsample_nearest(v[0], factor)); }, {distinct({2, 2, 3, 3})});
  }
}

TEST(Pooling, EmptyBatches) {
  EXPECT_EQ(max_pool(Tensor::zeros({0, 4, 4, 2}), {2}).shape(), (Shape{0, 2, 2, 2}));
  EXPECT_EQ(average_pool(Tensor::zeros({0, 4, 4, 2}), {2}).shape(), (Shape{0, 2, 2, 2}));
  EXPECT_EQ(upsample_nearest(Tensor::zeros({2, 4, 4, 0}), 2).shape(), (Shape{2, 8, 8, 0}));
}

TEST(Pooling, MisuseIsNamed) {
  const Tensor x = Tensor::zeros({1, 4, 4, 2});
  EXPECT_EQ(misuse([&] {
              max_pool(Tensor::zeros({4, 4, 2}), {2});
            }),
            "max_pool: expected x [N, H, W, C], got [4, 4, 2]");
  EXPECT_EQ(misuse([&] { max_pool(x, {5}); }), "max_pool: no window of 5 x 5 fits into x [1, 4, 4, 2] with padding 0");
  EXPECT_EQ(misuse([&] { average_pool(x, {0}); }),
            "average_pool: expected a window and a stride of at least 1, got 0 and 0");
  EXPECT_EQ(misuse([&] {
              average_pool(x, {2, -1});
            }),
            "average_pool: expected a window and a stride of at least 1, got 2 and -1");
  EXPECT_EQ(misuse([&] { average_pool(x, {2, 2, 2}); }), "average_pool: padding 2 is more than half the window, 2");
  EXPECT_EQ(misuse([&] { upsample_nearest(x, 0); }), "upsample_nearest: expected a factor of at least 1, got 0");
}

}  // namespace
}  // namespace rill
