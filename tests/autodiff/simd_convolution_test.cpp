// The convolution kernels of each set against the reference: every width, odd sizes, strides, gaps in memory.
#include <string>

#include "tests/autodiff/simd_testing.hpp"

namespace rill::simd {
namespace {

struct Case {
  Index images, rows, columns, outputs, taps_y, taps_x, channels;
  Index stride = 1, dilation = 1, extra = 0;  // numbers between the channels of a group and the next place
};

Index round_up(Index n, Index multiple) { return (n + multiple - 1) / multiple * multiple; }

void fill(Numbers& x, TestRandom& random) {
  for (Index i = 0; i < x.size(); ++i) x[i] = random.uniform(-1, 1);
}

void check(const Kernels& kernels, const Case& c) {
  const Index place = c.channels + c.extra;
  const Index width = (c.columns - 1) * c.stride + (c.taps_x - 1) * c.dilation + 1;
  const Index height = (c.rows - 1) * c.stride + (c.taps_y - 1) * c.dilation + 1;
  const Index w_row = round_up(c.outputs, kernels.lanes), terms = c.taps_y * c.taps_x * c.channels;
  Convolution g = {.images = c.images,
                   .rows = c.rows,
                   .columns = c.columns,
                   .outputs = c.outputs,
                   .taps_y = c.taps_y,
                   .taps_x = c.taps_x,
                   .channels = c.channels,
                   .x = nullptr,
                   .x_step = {height * width * place, c.stride * width * place, c.stride * place},
                   .tap_row = c.dilation * width * place,
                   .tap_place = c.dilation * place,
                   .y_step = {c.rows * c.columns * (w_row + 1), c.columns * (w_row + 1), w_row + 1},
                   .w_row = w_row};
  const std::string what = std::string(kernels.name) + ": " + std::to_string(c.columns) + " columns, " +
                           std::to_string(c.outputs) + " outputs, " + std::to_string(terms) + " terms";
  TestRandom random(static_cast<std::uint64_t>(c.columns * 10007 + c.outputs * 101 + terms));
  Numbers x(c.images * height * width * place, 1), w(terms * w_row, 3), bias(c.outputs, 0);
  Numbers got(c.images * g.y_step.image, 2), expected(got.size(), 0);
  for (Numbers* numbers : {&x, &w, &bias, &got}) fill(*numbers, random);
  for (Index i = 0; i < got.size(); ++i) expected[i] = got[i];
  g.x = x.data();
  const double tolerance = (8 + 2 * static_cast<double>(terms)) * static_cast<double>(kEpsilon);
  for (const Real* b : {static_cast<const Real*>(bias.data()), static_cast<const Real*>(nullptr)}) {
    kernels.convolution(g, w.data(), b, got.data());
    reference().convolution(g, w.data(), b, expected.data());
    ASSERT_TRUE(got.intact()) << what;
    for (Index i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], tolerance) << what << " at " << i;
  }

  g.y_step = {c.rows * c.columns * w_row, c.columns * w_row, w_row};
  Numbers y(c.images * c.rows * c.columns * w_row, 1);
  fill(y, random);
  Numbers got_w(terms * w_row, 2), expected_w(terms * w_row, 0);
  fill(got_w, random);
  for (Index i = 0; i < got_w.size(); ++i) expected_w[i] = got_w[i];
  const double weight_tolerance =
      (8 + 2 * static_cast<double>(c.images * c.rows * c.columns)) * static_cast<double>(kEpsilon);
  for (const bool accumulate : {true, false}) {
    kernels.convolution_weight(g, y.data(), accumulate, got_w.data());
    reference().convolution_weight(g, y.data(), accumulate, expected_w.data());
    ASSERT_TRUE(got_w.intact()) << what;
    for (Index i = 0; i < got_w.size(); ++i) {
      ASSERT_NEAR(got_w[i], expected_w[i], weight_tolerance) << what << ", weight " << i;
    }
  }
}

void check_all(const Case& c) {
  for (const Kernels* kernels : available_kernels()) {
    check(*kernels, c);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(SimdConvolution, EveryNumberOfColumnsAndOutputs) {
  for (Index columns = 1; columns <= 30; ++columns) {
    check_all({1, 2, columns, columns % 5 * 8 + 3, 3, 3, 2});
    if (HasFatalFailure()) return;
  }
  for (Index outputs = 1; outputs <= 70; ++outputs) {
    check_all({2, 2, 5, outputs, 2, 3, 3});
    if (HasFatalFailure()) return;
  }
}

TEST(SimdConvolution, EveryNumberOfChannels) {
  for (Index channels = 1; channels <= 34; ++channels) {
    check_all({2, 3, 4, 9, 3, 2, channels});
    if (HasFatalFailure()) return;
  }
}

TEST(SimdConvolution, StridesDilationsAndGroups) {
  for (const Index stride : {1, 2, 3}) {
    for (const Index dilation : {1, 2}) {
      for (const Index extra : {0, 1, 5}) {
        check_all({2, 3, 7, 20, 3, 3, 4, stride, dilation, extra});
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(SimdConvolution, MoreTermsThanAPanelHolds) {
  check_all({1, 2, 15, 17, 3, 3, 250});
  check_all({1, 1, 2, 33, 2, 1, 1200});
}

}  // namespace
}  // namespace rill::simd
