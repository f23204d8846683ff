// The convolution kernels of each set against the reference: every width, odd sizes, strides, gaps in memory.
#include <string>

#include "tests/autodiff/simd_testing.hpp"

namespace rill::simd {
namespace {

struct Case {
  Index images, rows, columns, outputs, taps_y, taps_x, channels;
  Index stride = 1, dilation = 1, extra = 0;  // numbers between the channels of one place and those of the next
};

// A matrix in the panels of a set of kernels, with zeros at the end of the last.
class Panels {
 public:
  Panels(const Kernels& kernels, const Numbers& x, Index rows, Index columns)
      : numbers_((columns + kernels.panel - 1) / kernels.panel * kernels.panel * rows, 0) {
    for (Index row = 0; row < rows; ++row) {
      for (Index column = 0; column < columns; ++column) {
        numbers_[(column / kernels.panel * rows + row) * kernels.panel + column % kernels.panel] =
            x.data()[row * columns + column];
      }
    }
  }
  const Real* data() const { return numbers_.data(); }

 private:
  Numbers numbers_;
};

void fill(Numbers& x, TestRandom& random) {
  for (Index i = 0; i < x.size(); ++i) x[i] = random.uniform(-1, 1);
}

void check(const Kernels& kernels, const Case& c) {
  const Index place = c.channels + c.extra;
  const Index width = (c.columns - 1) * c.stride + (c.taps_x - 1) * c.dilation + 1;
  const Index height = (c.rows - 1) * c.stride + (c.taps_y - 1) * c.dilation + 1;
  const Index terms = c.taps_y * c.taps_x * c.channels, places = c.images * c.rows * c.columns;
  const Index y_place = c.outputs + c.extra;
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
                   .tap_place = c.dilation * place};
  const Steps step = {c.rows * c.columns * y_place, c.columns * y_place, y_place};
  const std::string what = std::string(kernels.name) + ": " + std::to_string(c.columns) + " columns, " +
                           std::to_string(c.outputs) + " outputs, " + std::to_string(terms) + " terms";
  TestRandom random(static_cast<std::uint64_t>(c.columns * 10007 + c.outputs * 101 + terms));
  Numbers x(c.images * height * width * place, 1), w(terms * c.outputs, 3), bias(c.outputs, 0),
      y(places * c.outputs, 1);
  for (Numbers* numbers : {&x, &w, &bias, &y}) fill(*numbers, random);
  g.x = x.data();
  const Panels w_panels(kernels, w, terms, c.outputs), reference_w_panels(reference(), w, terms, c.outputs);
  Numbers got(places * y_place, 2, kNan), expected(places * y_place, 0, kNan);
  const double tolerance = (8 + 2 * static_cast<double>(terms)) * static_cast<double>(kEpsilon);
  for (const Real* b : {static_cast<const Real*>(bias.data()), static_cast<const Real*>(nullptr)}) {
    kernels.convolution(g, w_panels.data(), b, step, got.data());
    reference().convolution(g, reference_w_panels.data(), b, step, expected.data());
    ASSERT_TRUE(got.intact()) << what;
    for (Index i = 0; i < got.size(); ++i) {  // NaN, still, where there is no output
      ASSERT_TRUE(close(got[i], expected[i], 0, tolerance)) << what << " at " << i << ": " << got[i];
    }
  }

  const Panels y_panels(kernels, y, places, c.outputs), reference_y_panels(reference(), y, places, c.outputs);
  const Index w_row = c.outputs + c.extra;
  Numbers got_w(terms * w_row, 2), expected_w(terms * w_row, 0);
  fill(got_w, random);
  for (Index i = 0; i < got_w.size(); ++i) expected_w[i] = got_w[i];
  const double weight_tolerance = (8 + 2 * static_cast<double>(places)) * static_cast<double>(kEpsilon);
  for (const bool accumulate : {true, false}) {
    kernels.convolution_weight(g, y_panels.data(), accumulate, w_row, got_w.data());
    reference().convolution_weight(g, reference_y_panels.data(), accumulate, w_row, expected_w.data());
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

TEST(SimdConvolution, ANanReachesTheOutputsThatSeeItOnly) {
  // One channel to all outputs, three taps in a row of places; place 7 is seen by the columns 5, 6 and 7.
  for (const Kernels* kernels : available_kernels()) {
    for (Index outputs = 1; outputs <= 2 * kernels->panel + 1; outputs += 3) {
      const Index columns = 20;
      Numbers x(columns + 2, 1, 1), w(3 * outputs, 0, 2), y(columns * outputs, 1);
      x[7] = kNan;
      const Convolution g = {.images = 1,
                             .rows = 1,
                             .columns = columns,
                             .outputs = outputs,
                             .taps_y = 1,
                             .taps_x = 3,
                             .channels = 1,
                             .x = x.data(),
                             .x_step = {columns + 2, columns + 2, 1},
                             .tap_row = columns + 2,
                             .tap_place = 1};
      const Panels panels(*kernels, w, 3, outputs);
      kernels->convolution(g, panels.data(), nullptr, {columns * outputs, columns * outputs, outputs}, y.data());
      for (Index i = 0; i < y.size(); ++i) {
        const Index column = i / outputs;
        ASSERT_TRUE(close(y[i], column >= 5 && column <= 7 ? static_cast<double>(kNan) : 6, 0)) << kernels->name;
      }
    }
  }
}

}  // namespace
}  // namespace rill::simd
