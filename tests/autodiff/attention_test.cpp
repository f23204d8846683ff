// Attention: its values against a direct loop, its derivatives against central differences, its errors.
#include "tests/autodiff/golden/attention.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/operation_count.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"

namespace rill {
namespace {

using testing::expect_gradients;
using ::testing::HasSubstr;
using Inputs = std::vector<Tensor>;

Tensor normal(const Shape& shape, std::uint64_t stream = 0) {
  Generator rng(3, stream);
  return Tensor::randn(shape, rng);
}

double at(const Tensor& x, Index n, Index t, Index c) {
  return static_cast<double>(x.data()[(n * x.dim(1) + t) * x.dim(2) + c]);
}

// Row t of the result for one image and one head, in double.
std::vector<double> row(const Tensor& q, const Tensor& k, const Tensor& v, Index heads, Index n, Index h, Index t) {
  const Index keys = k.dim(1), d_q = q.dim(2) / heads, d_v = v.dim(2) / heads;
  std::vector<double> weight(static_cast<std::size_t>(keys)), result(static_cast<std::size_t>(d_v));
  for (Index s = 0; s < keys; ++s) {
    double dot = 0;
    for (Index c = h * d_q; c < (h + 1) * d_q; ++c) dot += at(q, n, t, c) * at(k, n, s, c);
    weight[static_cast<std::size_t>(s)] = dot / std::sqrt(static_cast<double>(d_q));
  }
  const double top = *std::max_element(weight.begin(), weight.end());
  double total = 0;
  for (double& w : weight) total += w = std::exp(w - top);
  for (Index c = 0; c < d_v; ++c) {
    for (Index s = 0; s < keys; ++s) {
      result[static_cast<std::size_t>(c)] += weight[static_cast<std::size_t>(s)] / total * at(v, n, s, h * d_v + c);
    }
  }
  return result;
}

void expect_values(const Tensor& q, const Tensor& k, const Tensor& v, Index heads, double tolerance) {
  const Tensor y = attention(q, k, v, heads);
  ASSERT_EQ(y.shape(), (Shape{q.dim(0), q.dim(1), v.dim(2)}));
  const Index d_v = v.dim(2) / heads;
  for (Index n = 0; n < q.dim(0); ++n) {
    for (Index h = 0; h < heads; ++h) {
      for (Index t = 0; t < q.dim(1); ++t) {
        const std::vector<double> expected = row(q, k, v, heads, n, h, t);
        for (Index c = 0; c < d_v; ++c) {
          ASSERT_NEAR(at(y, n, t, h * d_v + c), expected[static_cast<std::size_t>(c)], tolerance)
              << "n " << n << " head " << h << " t " << t << " c " << c;
        }
      }
    }
  }
}

struct Sizes {
  Index n, t, s, c, c_v, heads;
};

Inputs inputs(const Sizes& size) {
  return {normal({size.n, size.t, size.c}, 1), normal({size.n, size.s, size.c}, 2),
          normal({size.n, size.s, size.c_v}, 3)};
}

TEST(Attention, ValuesAreThoseOfALoop) {
  for (const Sizes& size :
       {Sizes{1, 1, 1, 1, 1, 1}, Sizes{2, 5, 5, 8, 8, 1}, Sizes{2, 7, 3, 8, 8, 2}, Sizes{1, 3, 40, 12, 20, 4},
        Sizes{1, 49, 49, 64, 64, 4}, Sizes{1, 196, 150, 32, 16, 1}, Sizes{1, 784, 784, 32, 32, 1}}) {
    SCOPED_TRACE(concat("T ", size.t, ", S ", size.s, ", C ", size.c, ", Cv ", size.c_v, ", heads ", size.heads));
    const Inputs x = inputs(size);
    // Sums of up to 64 products of numbers up to 4, then a weighted mean of numbers up to 4.
    expect_values(x[0], x[1], x[2], size.heads, 3e-6);
    if (HasFatalFailure()) return;
  }
}

// 2 sin(a i + 1)
Tensor sines(double a, const Shape& shape) {
  Tensor x = Tensor::empty(shape);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<Real>(2 * std::sin(a * static_cast<double>(i) + 1));
  return x;
}

TEST(Attention, ValuesAndGradientsArePyTorchs) {
  Inputs x = {sines(1, {2, 3, 4}), sines(2, {2, 5, 4}), sines(3, {2, 5, 6})};
  for (Tensor& each : x) each.set_requires_grad();
  const Tensor y = attention(x[0], x[1], x[2], 2), gy = sines(4, {2, 3, 6});
  const auto expect = [](const Tensor& got, std::span<const double> expected, const char* what) {
    ASSERT_EQ(got.size(), static_cast<Index>(expected.size())) << what;
    const double tolerance = sizeof(Real) == 8 ? 1e-13 : 5e-6;
    for (Index i = 0; i < got.size(); ++i) {
      EXPECT_NEAR(got.data()[i], expected[static_cast<std::size_t>(i)], tolerance) << what << " " << i;
    }
  };
  expect(y, golden::kY, "y");
  for (const bool create_graph : {false, true}) {  // by the kernel, and by ops
    const Inputs g = grad({y}, x, {.create_graph = create_graph, .retain_graph = true}, {gy});
    expect(g[0], golden::kGq, "gq");
    expect(g[1], golden::kGk, "gk");
    expect(g[2], golden::kGv, "gv");
  }
}

TEST(Attention, FirstAndSecondDerivatives) {
  for (const Sizes& size : {Sizes{1, 1, 1, 1, 1, 1}, Sizes{2, 3, 3, 4, 4, 1}, Sizes{1, 2, 5, 4, 6, 2},
                            Sizes{1, 5, 2, 4, 8, 4}, Sizes{2, 1, 3, 2, 1, 1}}) {
    SCOPED_TRACE(concat("T ", size.t, ", S ", size.s, ", C ", size.c, ", Cv ", size.c_v, ", heads ", size.heads));
    expect_gradients([&](const Inputs& x) { return attention(x[0], x[1], x[2], size.heads); }, inputs(size));
  }
}

// An image's queries, keys and values are often one tensor.
TEST(Attention, SelfAttentionAddsTheThreeGradients) {
  expect_gradients([](const Inputs& x) { return attention(x[0], x[0], x[0], 2); }, {normal({1, 4, 4})});
}

// One kernel computes all three gradients at once; unrequested ones must not appear in the next backward pass.
TEST(Attention, WalksThatAskForDifferentInputs) {
  Inputs x = inputs({2, 5, 6, 4, 4, 2});
  for (Tensor& each : x) each.set_requires_grad();
  const Tensor a = normal({2, 5, 4}, 5), b = normal({2, 5, 4}, 6);
  const auto gradients = [&](const Tensor& y, const Inputs& of, const Tensor& gy) {
    std::vector<Real> numbers;
    for (const Tensor& g : grad({y}, of, {.retain_graph = true}, {gy})) {
      const std::vector<Real> more = g.to_vector();
      numbers.insert(numbers.end(), more.begin(), more.end());
    }
    return numbers;
  };
  const auto fresh = [&](const Inputs& of, const Tensor& gy) {
    return gradients(attention(x[0], x[1], x[2], 2), of, gy);
  };
  const Tensor y = attention(x[0], x[1], x[2], 2);
  EXPECT_EQ(gradients(y, {x[0], x[1]}, a), fresh({x[0], x[1]}, a));
  EXPECT_EQ(gradients(y, {x[2]}, b), fresh({x[2]}, b));
  EXPECT_EQ(gradients(y, {x[0]}, b), fresh({x[0]}, b));
  EXPECT_EQ(gradients(y, {x[0], x[1], x[2]}, b), fresh({x[0], x[1], x[2]}, b));
}

TEST(Attention, HugeScoresPickTheLargest) {
  // Scores up to 1e6 / sqrt(2): e to their power is infinite, and so is that of their differences.
  const Tensor q = Tensor::from({1000, 0, 0, -1000}, {1, 2, 2}).set_requires_grad();
  const Tensor k = Tensor::from({1000, 0, 0, 1000, -1000, 0}, {1, 3, 2}).set_requires_grad();
  const Tensor v = Tensor::from({1, 2, 3, 4, 5, 6}, {1, 3, 2}).set_requires_grad();
  const Tensor y = attention(q, k, v);
  EXPECT_THAT(y.to_vector(), ::testing::ElementsAre(1, 2, 3, 4));
  sum(square(y)).backward();
  for (const Tensor& x : {q, k, v}) {
    for (const Real g : x.grad().to_vector()) EXPECT_TRUE(std::isfinite(g));
  }
  // Row 0 attends only to key 0; row 1 equally to keys 0 and 2, which have score 0, while key 1 has -1e6.
  EXPECT_THAT(v.grad().to_vector(), ::testing::ElementsAre(2 + 3, 4 + 4, 0, 0, 3, 4));
}

TEST(Attention, EmptyBatchOrNoQueries) {
  EXPECT_EQ(attention(Tensor::zeros({0, 3, 4}), Tensor::zeros({0, 2, 4}), Tensor::zeros({0, 2, 6})).shape(),
            (Shape{0, 3, 6}));
  EXPECT_EQ(attention(Tensor::zeros({2, 0, 4}), Tensor::zeros({2, 2, 4}), Tensor::zeros({2, 2, 6})).shape(),
            (Shape{2, 0, 6}));
}

TEST(Attention, MisuseIsNamed) {
  const auto message = [](const Shape& q, const Shape& k, const Shape& v, Index heads) {
    return misuse([&] { return attention(Tensor::zeros(q), Tensor::zeros(k), Tensor::zeros(v), heads); });
  };
  const std::string shapes = "attention: expected q [N, T, C], k [N, S, C] and v [N, S, Cv], got ";
  EXPECT_EQ(message({3, 4}, {1, 3, 4}, {1, 3, 4}, 1), shapes + "[3, 4], [1, 3, 4] and [1, 3, 4]");
  EXPECT_EQ(message({2, 3, 4}, {1, 3, 4}, {1, 3, 4}, 1), shapes + "[2, 3, 4], [1, 3, 4] and [1, 3, 4]");
  EXPECT_EQ(message({1, 3, 4}, {1, 3, 5}, {1, 3, 4}, 1), shapes + "[1, 3, 4], [1, 3, 5] and [1, 3, 4]");
  EXPECT_EQ(message({1, 3, 4}, {1, 5, 4}, {1, 3, 4}, 1), shapes + "[1, 3, 4], [1, 5, 4] and [1, 3, 4]");
  EXPECT_EQ(message({1, 3, 4}, {1, 0, 4}, {1, 0, 4}, 1), "attention: expected at least one key, got k [1, 0, 4]");
  EXPECT_EQ(message({1, 3, 0}, {1, 2, 0}, {1, 2, 4}, 1),
            "attention: expected at least one channel, got q [1, 3, 0] and v [1, 2, 4]");
  EXPECT_EQ(message({1, 3, 6}, {1, 3, 6}, {1, 3, 6}, 4),
            "attention: 6 and 6 channels of q and v cannot be shared equally by 4 heads");
  EXPECT_THAT(message({1, 3, 6}, {1, 3, 6}, {1, 3, 6}, 0), HasSubstr("by 0 heads"));
}

TEST(Attention, OperationsAreThoseOfTwoProductsThereAndFourBack) {
  Inputs x = inputs({3, 10, 20, 8, 4, 2});
  for (Tensor& each : x) each.set_requires_grad();
  const std::uint64_t before = operation_count();
  const Tensor y = sum(attention(x[0], x[1], x[2], 2));
  const std::uint64_t there = operation_count();
  EXPECT_EQ(there - before, 2u * 3 * 10 * 20 * (8 + 4));
  y.backward();
  EXPECT_EQ(operation_count() - there, 2 * (there - before));
}

TEST(Attention, SameNumbersOnAnyNumberOfThreads) {
  const Inputs x = {normal({3, 150, 32}, 1), normal({3, 130, 32}, 2), normal({3, 130, 32}, 3)};
  const auto run = [&] {
    Inputs leaves;
    for (const Tensor& each : x) leaves.push_back(each.clone().set_requires_grad());
    const Tensor y = attention(leaves[0], leaves[1], leaves[2], 2);
    sum(square(y)).backward();
    std::vector<Real> numbers = y.to_vector();
    for (const Tensor& leaf : leaves) {
      const std::vector<Real> g = leaf.grad().to_vector();
      numbers.insert(numbers.end(), g.begin(), g.end());
    }
    return numbers;
  };
  const int before = thread_count();
  set_thread_count(1);
  const std::vector<Real> alone = run();
  set_thread_count(3);
  EXPECT_EQ(run(), alone);
  set_thread_count(before);
}

}  // namespace
}  // namespace rill
