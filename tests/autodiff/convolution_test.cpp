// Convolution: against its definition, its gradients, the number of threads, misuse.
#include <gtest/gtest.h>

#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "tests/gradcheck.hpp"
#include "tests/misuse.hpp"

namespace rill {
namespace {

struct Case {
  Index n, height, width, channels, taps_y, taps_x, outputs;
  Conv2dOptions options;
};

// Every way through the code: padding by less and by more than the kernel reaches, windows in place and copied, strides
// that skip pixels and taps, groups, registers that are filled and not.
const std::vector<Case> kCases = {
    {2, 5, 5, 3, 3, 3, 4, {.padding = 1}},
    {1, 6, 5, 2, 3, 2, 17, {}},
    {2, 7, 6, 2, 3, 3, 3, {.stride = 2, .padding = 1}},
    {1, 8, 9, 3, 5, 4, 2, {.stride = 3, .padding = 2}},
    {3, 4, 4, 2, 2, 2, 16, {.stride = 2}},
    {1, 5, 7, 2, 1, 1, 3, {.stride = 3}},
    {2, 3, 4, 5, 1, 1, 2, {}},
    {1, 3, 3, 1, 3, 3, 2, {.padding = 4}},
    {1, 5, 5, 4, 3, 3, 6, {.padding = 1, .groups = 2}},
    {2, 5, 4, 4, 3, 3, 4, {.stride = 2, .padding = 1, .groups = 4}},
    {1, 4, 5, 6, 1, 1, 9, {.groups = 3}},
    {2, 3, 3, 0, 1, 1, 2, {}},
    {2, 3, 3, 0, 3, 3, 2, {}},
};

Tensor weights(const Case& c, Generator& rng) {
  return Tensor::randn({c.taps_y, c.taps_x, c.channels / c.options.groups, c.outputs}, rng);
}

TEST(Conv2d, IsItsDefinition) {
  Generator rng(1);
  for (const Case& c : kCases) {
    const Tensor x = Tensor::randn({c.n, c.height, c.width, c.channels}, rng), w = weights(c, rng);
    const Tensor bias = Tensor::randn({c.outputs}, rng);
    const Tensor y = conv2d(x, w, bias, c.options);
    const Index s = c.options.stride, p = c.options.padding, groups = c.options.groups;
    const Index group_channels = c.channels / groups, group_outputs = c.outputs / groups;
    const Index rows = (c.height + 2 * p - c.taps_y) / s + 1, columns = (c.width + 2 * p - c.taps_x) / s + 1;
    ASSERT_EQ(y.shape(), (Shape{c.n, rows, columns, c.outputs}));
    const Real* got = y.data();
    for (Index n = 0; n < c.n; ++n) {
      for (Index i = 0; i < rows; ++i) {
        for (Index j = 0; j < columns; ++j) {
          for (Index o = 0; o < c.outputs; ++o, ++got) {
            double expected = static_cast<double>(bias.data()[o]);
            for (Index u = 0; u < c.taps_y; ++u) {
              for (Index v = 0; v < c.taps_x; ++v) {
                const Index a = s * i + u - p, b = s * j + v - p;
                if (a < 0 || a >= c.height || b < 0 || b >= c.width) continue;
                for (Index k = 0; k < group_channels; ++k) {
                  const Index channel = o / group_outputs * group_channels + k;
                  expected += static_cast<double>(x.data()[((n * c.height + a) * c.width + b) * c.channels + channel]) *
                              static_cast<double>(w.data()[((u * c.taps_x + v) * group_channels + k) * c.outputs + o]);
                }
              }
            }
            ASSERT_NEAR(static_cast<double>(*got), expected, sizeof(Real) == 8 ? 1e-12 : 2e-5);
          }
        }
      }
    }
  }
}

TEST(Conv2d, GradientsCanBeDifferentiated) {
  Generator rng(2);
  for (const Case& c : kCases) {
    const Tensor x = Tensor::randn({c.n, c.height, c.width, c.channels}, rng), w = weights(c, rng);
    const Tensor bias = Tensor::randn({c.outputs}, rng);
    // The square makes second derivatives with respect to each input and both that are not 0.
    testing::expect_gradients(
        [&](const std::vector<Tensor>& in) {
          return mean(square(conv2d(in[0], in[1], in[2], c.options)), {.axes = {1, 2, 3}});
        },
        {x * 0.5, w * 0.5, bias});
  }
}

TEST(Conv2d, DoesNotDependOnTheNumberOfThreads) {
  Generator rng(3);
  const Tensor x = Tensor::randn({40, 12, 14, 16}, rng).set_requires_grad();
  const Tensor w = Tensor::randn({3, 3, 16, 40}, rng).set_requires_grad();
  std::vector<std::vector<Real>> results;
  const int before = thread_count();
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    for (const Index images : {1, 40}) {  // shared out by rows, and by images
      const Tensor y = conv2d(slice(x, 0, 0, images), w, {}, {.padding = 1});
      const Tensor loss = sum(square(y));
      const std::vector<Tensor> g = grad({loss}, {x, w});
      std::vector<Real> all = y.to_vector();
      for (const Tensor& each : g) all.insert(all.end(), each.values().begin(), each.values().end());
      results.push_back(std::move(all));
    }
  }
  set_thread_count(before);
  EXPECT_EQ(results[0], results[2]);
  EXPECT_EQ(results[1], results[3]);
}

TEST(Conv2d, NoImages) {
  const Tensor x = Tensor::zeros({0, 4, 4, 2}).set_requires_grad(), w = Tensor::ones({3, 3, 2, 5}).set_requires_grad();
  const Tensor y = conv2d(x, w, {}, {.padding = 1});
  EXPECT_EQ(y.shape(), (Shape{0, 4, 4, 5}));
  const std::vector<Tensor> g = grad({sum(y)}, {x, w});
  EXPECT_EQ(g[0].shape(), x.shape());
  EXPECT_EQ(g[1].to_vector(), std::vector<Real>(3 * 3 * 2 * 5, 0));
}

TEST(Conv2d, MisuseIsExplained) {
  const Tensor x = Tensor::zeros({1, 4, 4, 6}), w = Tensor::zeros({3, 3, 6, 4});
  EXPECT_EQ(misuse([&] {
              conv2d(reshape(x, {4, 24}), w);
            }),
            "conv2d: expected x [N, H, W, C] and w [KH, KW, C / groups, O], got [4, 24] and [3, 3, 6, 4]");
  EXPECT_EQ(misuse([&] { conv2d(x, w, {}, {.groups = 2}); }),
            "conv2d: x [1, 4, 4, 6] and w [3, 3, 6, 4] in 2 groups: the weights are for 6 channels, expected 3");
  EXPECT_EQ(misuse([&] { conv2d(x, w, {}, {.groups = 4}); }),
            "conv2d: 6 channels and 4 outputs do not divide into 4 groups");
  EXPECT_EQ(misuse([&] { conv2d(x, w, {}, {.stride = 0}); }),
            "conv2d: stride 0, padding 0, groups 1: expected 1 or more, 0 or more, 1 or more");
  EXPECT_EQ(misuse([&] {
              conv2d(x, Tensor::zeros({7, 3, 6, 4}), {}, {.padding = 1});
            }),
            "conv2d: a kernel of 7 x 3 does not fit images of 4 x 4 with padding 1");
  EXPECT_EQ(misuse([&] { conv2d(x, w, Tensor::zeros({6})); }), "conv2d: bias of shape [6] for 4 outputs");
}

}  // namespace
}  // namespace rill
