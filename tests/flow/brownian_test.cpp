// Brownian paths: the distribution of their increments, and that any order of evaluation gives the same path.
#include "flow/solver/brownian.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "autodiff/ops.hpp"
#include "tests/misuse.hpp"

namespace rill::flow {
namespace {

using ::testing::HasSubstr;
constexpr bool kDouble = sizeof(Real) == 8;

double average(const Tensor& x) { return static_cast<double>(mean(x).item()); }
double variance(const Tensor& x) { return static_cast<double>(mean(square(x - mean(x))).item()); }

TEST(BrownianPath, HasIndependentNormalIncrements) {
  const Index n = 40'000;
  BrownianPath path(1, {n, 1}, 0, 2);
  const std::vector<double> times = {0, 0.3, 0.5, 1.4, 1.41, 2};
  std::vector<Tensor> increments;  // scaled to variance 1
  for (std::size_t i = 1; i < times.size(); ++i) {
    increments.push_back(path.increment(times[i - 1], times[i]) / std::sqrt(times[i] - times[i - 1]));
  }
  const double error = 5 / std::sqrt(static_cast<double>(n));
  for (std::size_t i = 0; i < increments.size(); ++i) {
    EXPECT_NEAR(average(increments[i]), 0, error);
    EXPECT_NEAR(variance(increments[i]), 1, error * std::sqrt(2.0));
    EXPECT_NEAR(average(square(square(increments[i]))), 3, error * std::sqrt(96.0)) << "the kurtosis of a normal";
    for (std::size_t j = 0; j < i; ++j) EXPECT_NEAR(average(increments[i] * increments[j]), 0, error);
  }
}

TEST(BrownianPath, IsOnePathHoweverItIsAskedFor) {
  const Shape shape{3, 2};
  BrownianPath forward(2, shape), backward(2, shape), coarse(2, shape);
  std::vector<std::vector<Real>> values;
  for (int i = 0; i <= 40; ++i) values.push_back(forward.at(i / 40.0).to_vector());
  for (int i = 40; i >= 0; --i) EXPECT_EQ(backward.at(i / 40.0).to_vector(), values[static_cast<std::size_t>(i)]);
  EXPECT_EQ(coarse.at(0.75).to_vector(), values[30]);
  EXPECT_EQ(coarse.at(0.25).to_vector(), values[10]);
  for (const Real w : values[0]) EXPECT_EQ(w, 0);
  // W(s, u) = W(s, t) + W(t, u)
  const Tensor whole = coarse.increment(0.1, 0.8), parts = coarse.increment(0.1, 0.37) + coarse.increment(0.37, 0.8);
  for (Index i = 0; i < 6; ++i) EXPECT_NEAR(whole.data()[i], parts.data()[i], kDouble ? 1e-14 : 1e-6);
  BrownianPath other(3, shape);
  EXPECT_NE(other.at(1).to_vector(), values[40]);
}

TEST(BrownianPath, OfARowDoesNotDependOnItsBatch) {
  const Index columns = 3;
  BrownianPath all(4, {100, columns});
  for (const Index first : {1, 17, 64}) {
    BrownianPath part(4, {20, columns}, 0, 1, first);
    for (const double t : {0.2, 0.5, 1.0}) {
      EXPECT_EQ(part.at(t).to_vector(), slice(all.at(t), 0, first, first + 20).to_vector()) << first << " at " << t;
    }
  }
}

TEST(BrownianPath, MisuseIsExplained) {
  EXPECT_THAT(misuse([] { BrownianPath(1, {2, 2}, 1, 1); }), HasSubstr("start < end"));
  EXPECT_THAT(misuse([] { BrownianPath(1, {}); }), HasSubstr("scalar"));
  EXPECT_THAT(misuse([] { BrownianPath(1, {2, 2}, 0, 1, -1); }), HasSubstr("first row"));
  EXPECT_THAT(misuse([] { BrownianPath(1, {2, 2}).at(1.5); }), HasSubstr("time 1.5 is outside [0, 1]"));
}

}  // namespace
}  // namespace rill::flow
