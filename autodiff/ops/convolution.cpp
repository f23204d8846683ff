// Convolution, and the two products that are its gradients. All three are sums of x w y over the same triples of
// elements, over different indices; so the gradients of each are the other two, to any order of derivative.
#include <algorithm>
#include <array>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/operation_count.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill {
namespace {

// Multiply-adds that justify waking a thread.
constexpr Index kWorthAThread = 1 << 20;

// A convolution of x [n, height, width, channels] with w [taps_y, taps_x, channels / groups, outputs] that gives
// y [n, rows, columns, outputs].
struct Sizes {
  Index n, height, width, channels;
  Index taps_y, taps_x, outputs;
  Index stride, padding, groups;
  Index rows, columns;

  Sizes(const Shape& x, const Shape& w, const Conv2dOptions& options)
      : n(x[0]),
        height(x[1]),
        width(x[2]),
        channels(x[3]),
        taps_y(w[0]),
        taps_x(w[1]),
        outputs(w[3]),
        // All strides that leave the image are equivalent; a shorter one cannot overflow.
        stride(std::min(options.stride, 1 + std::max(height, width) + 2 * options.padding)),
        padding(options.padding),
        groups(options.groups),
        rows((height + 2 * padding - taps_y) / stride + 1),
        columns((width + 2 * padding - taps_x) / stride + 1) {}

  Shape x() const { return {n, height, width, channels}; }
  Shape w() const { return {taps_y, taps_x, channels / groups, outputs}; }
  Shape y() const { return {n, rows, columns, outputs}; }
  Index terms() const { return taps_y * taps_x * (channels / groups); }
  Index operations_per_image() const { return checked_product("conv2d", {2, rows, columns, outputs, terms()}); }
};

Index round_up(Index n, Index multiple) { return (n + multiple - 1) / multiple * multiple; }

// A window of an image, given by its first row and column, which may lie outside the image, where x is 0.
struct Window {
  Index top, left, height, width;
};

// x: [height, width, channels] -> y: its window, [window.height, window.width, channels]
void copy_window(const Real* x, Index height, Index width, Index channels, const Window& window, Real* y) {
  const Index row = window.width * channels;
  const Index before = std::clamp<Index>(-window.left, 0, window.width);
  const Index inside =
      std::max<Index>(0, std::min(width, window.left + window.width) - std::max<Index>(window.left, 0));
  for (Index i = 0; i < window.height; ++i, y += row) {
    const Index from = window.top + i;
    if (from < 0 || from >= height || inside == 0) {
      std::fill_n(y, row, Real{0});
      continue;
    }
    std::fill_n(y, before * channels, Real{0});
    std::copy_n(x + (from * width + std::max<Index>(window.left, 0)) * channels, inside * channels,
                y + before * channels);
    std::fill_n(y + (before + inside) * channels, row - (before + inside) * channels, Real{0});
  }
}

Index panels_size(Index rows, Index columns) { return rows * round_up(columns, simd::kernels().panel); }

// Packs rows of `columns` numbers, `row` apart, into the panels that the kernels read: panels_size() numbers.
void pack_panels(const Real* x, Index rows, Index columns, Index row, Real* packed) {
  const Index panel = simd::kernels().panel;
  for (Index j = 0; j < columns; j += panel) {
    const Index here = std::min(panel, columns - j);
    for (Index i = 0; i < rows; ++i, packed += panel) {
      std::copy_n(x + i * row + j, here, packed);
      std::fill_n(packed + here, panel - here, Real{0});
    }
  }
}

// One sum of products over a window that is moved over x in steps of `stride`, for all images:
//   y[n, i, j, o] = bias[o] + sum_{u, v, c} x[n, stride i + u + top, stride j + v + left, c] w[u, v, c, o]
// The rows x columns positions of y are `y_step` apart: they may be a subset of an image's.
struct Correlation {
  const Tensor& x;  // [N, H, W, C]
  const Tensor& w;  // [taps_y, taps_x, C / groups, outputs]
  Index top, left, stride, groups;
  const Real* bias;  // or null
  Real* y;
  Index rows, columns;
  simd::Steps y_step;
};

void correlate(const Correlation& g) {
  if (g.rows <= 0 || g.columns <= 0) return;
  const Index images = g.x.dim(0), height = g.x.dim(1), width = g.x.dim(2), channels = g.x.dim(3);
  const Index taps_y = g.w.dim(0), taps_x = g.w.dim(1), outputs = g.w.dim(3);
  const Index group_channels = channels / g.groups, group_outputs = outputs / g.groups;
  const Index terms = taps_y * taps_x * group_channels, packed_size = panels_size(terms, group_outputs);
  Tensor packed = Tensor::empty({g.groups, packed_size});
  for (Index group = 0; group < g.groups; ++group) {
    pack_panels(g.w.data() + group * group_outputs, terms, group_outputs, outputs, packed.data() + group * packed_size);
  }

  // Threads divide the images among them, or blocks of rows if there are few images.
  const Index blocks = std::clamp<Index>(16 / std::max<Index>(images, 1), 1, g.rows);
  const Index rows = (g.rows + blocks - 1) / blocks;
  const Index work = std::max<Index>(1, rows * g.columns * g.w.size());
  parallel_for(images * blocks, std::max<Index>(1, kWorthAThread / work), [&](Index begin, Index end) {
    const Window size = {0, 0, (rows - 1) * g.stride + taps_y, (g.columns - 1) * g.stride + taps_x};
    const Index window_row = size.width * channels;
    Tensor window;
    for (Index piece = begin; piece < end; ++piece) {
      const Index n = piece / blocks, row = piece % blocks * rows;
      if (row >= g.rows) continue;
      simd::Convolution block = {.images = 1,
                                 .rows = std::min(rows, g.rows - row),
                                 .columns = g.columns,
                                 .outputs = group_outputs,
                                 .taps_y = taps_y,
                                 .taps_x = taps_x,
                                 .channels = group_channels,
                                 .x = nullptr,
                                 .x_step = {0, g.stride * window_row, g.stride * channels},
                                 .tap_row = window_row,
                                 .tap_place = channels};
      const Real* image = g.x.data() + n * height * width * channels;
      const Index top = g.top + row * g.stride;
      const Index needed = (block.rows - 1) * g.stride + taps_y;
      if (g.left == 0 && size.width <= width && top >= 0 && top + needed <= height) {
        block.x = image + top * width * channels;
        block.x_step.row = g.stride * width * channels;
        block.tap_row = width * channels;
      } else {
        if (!window.defined()) window = Tensor::empty({size.height, size.width, channels});
        copy_window(image, height, width, channels, {top, g.left, needed, size.width}, window.data());
        block.x = window.data();
      }
      if (blocks == 1 && n + 1 < images) {
        block.next = image + height * width * channels;
        block.next_row = height * width * channels / block.rows;
      }
      Real* y = g.y + n * g.y_step.image + row * g.y_step.row;
      for (Index group = 0; group < g.groups; ++group) {
        simd::kernels().convolution(block, packed.data() + group * packed_size,
                                    g.bias ? g.bias + group * group_outputs : nullptr, g.y_step,
                                    y + group * group_outputs);
        block.x += group_channels;
      }
    }
  });
}

Tensor forward(const Tensor& x, const Tensor& w, const Tensor& bias, const Sizes& s) {
  Tensor y = Tensor::empty(s.y());
  count_operations(checked_product("conv2d", {s.n, s.operations_per_image()}));
  correlate({.x = x,
             .w = w,
             .top = -s.padding,
             .left = -s.padding,
             .stride = s.stride,
             .groups = s.groups,
             .bias = bias.defined() ? bias.data() : nullptr,
             .y = y.data(),
             .rows = s.rows,
             .columns = s.columns,
             .y_step = {s.rows * s.columns * s.outputs, s.columns * s.outputs, s.outputs}});
  return y;
}

// Along one axis, the input positions p = stride q + phase - padding, q >= first, and the taps phase, phase + stride,
// ... that read them: output q - m reads p by the m-th of these taps.
struct Phase {
  Index phase, taps, first, count;

  Phase(Index phase_, Index axis_size, Index all_taps, Index stride, Index padding)
      : phase(phase_),
        taps(all_taps > phase ? (all_taps - phase + stride - 1) / stride : 0),
        first(padding > phase ? (padding - phase + stride - 1) / stride : 0),
        count(std::max<Index>(0, (axis_size + padding - phase + stride - 1) / stride - first)) {}

  Index place(Index stride, Index padding) const { return stride * first + phase - padding; }
};

// gx[n, a, b, c] = sum of gy[n, i, j, o] w[u, v, c, o] where a = stride i + u - padding, b = stride j + v - padding:
// for the positions of each phase, a sum over a window of gy, with the phase's taps in reverse order and the channels
// and outputs of w swapped.
Tensor input_product(const Tensor& gy, const Tensor& w, const Sizes& s) {
  count_operations(s.n * s.operations_per_image());
  const bool all_reached = s.taps_y >= s.stride && s.taps_x >= s.stride;
  Tensor gx = all_reached ? Tensor::empty(s.x()) : Tensor::zeros(s.x());
  const Index group_channels = s.channels / s.groups, group_outputs = s.outputs / s.groups;
  for (Index phase_y = 0; phase_y < std::min(s.stride, s.taps_y); ++phase_y) {
    for (Index phase_x = 0; phase_x < std::min(s.stride, s.taps_x); ++phase_x) {
      const Phase y(phase_y, s.height, s.taps_y, s.stride, s.padding);
      const Phase x(phase_x, s.width, s.taps_x, s.stride, s.padding);
      Tensor taps = Tensor::empty({y.taps, x.taps, group_outputs, s.channels});
      for (Index u = 0; u < y.taps; ++u) {
        for (Index v = 0; v < x.taps; ++v) {
          const Index from_u = phase_y + s.stride * (y.taps - 1 - u), from_v = phase_x + s.stride * (x.taps - 1 - v);
          const Real* from = w.data() + (from_u * s.taps_x + from_v) * group_channels * s.outputs;
          Real* to = taps.data() + (u * x.taps + v) * group_outputs * s.channels;
          for (Index c = 0; c < s.channels; ++c) {
            const Index group = c / group_channels;
            const Real* outputs = from + c % group_channels * s.outputs + group * group_outputs;
            for (Index o = 0; o < group_outputs; ++o) to[o * s.channels + c] = outputs[o];
          }
        }
      }
      const Index row = s.width * s.channels;
      correlate({.x = gy,
                 .w = taps,
                 .top = y.first - (y.taps - 1),
                 .left = x.first - (x.taps - 1),
                 .stride = 1,
                 .groups = s.groups,
                 .bias = nullptr,
                 .y = gx.data() + y.place(s.stride, s.padding) * row + x.place(s.stride, s.padding) * s.channels,
                 .rows = y.count,
                 .columns = x.count,
                 .y_step = {s.height * row, s.stride * row, s.stride * s.channels}});
    }
  }
  return gx;
}

// gw[u, v, c, o] = sum_{n, i, j} x[n, stride i + u - padding, stride j + v - padding, c] gy[n, i, j, o]
// Images are divided among a fixed number of partial sums, so the result does not depend on the number of threads.
Tensor weight_product(const Tensor& x, const Tensor& gy, const Sizes& s) {
  count_operations(s.n * s.operations_per_image());
  const Index group_channels = s.channels / s.groups, group_outputs = s.outputs / s.groups;
  const Index size = s.terms() * s.outputs;
  constexpr Index kMostPartialSums = 16, kTermsOfASum = 1024;  // enough terms to make the cost of a sum negligible
  const Index places = s.rows * s.columns;
  if (s.n == 0 || size == 0) return Tensor::zeros(s.w());
  const Index least = std::max(kTermsOfASum / places, kWorthAThread / (s.operations_per_image() / 2));
  const Index per_sum = std::max<Index>({1, least, (s.n + kMostPartialSums - 1) / kMostPartialSums});
  const Index sums = (s.n + per_sum - 1) / per_sum;

  Tensor partial = Tensor::empty({sums, size});
  parallel_for(sums, 1, [&](Index first, Index last) {
    // As many images at a time as stay in L2 over all taps.
    constexpr Index kBlockNumbers = (Index{1} << 18) / Index{sizeof(Real)};
    const Window window = {-s.padding, -s.padding, (s.rows - 1) * s.stride + s.taps_y,
                           (s.columns - 1) * s.stride + s.taps_x};
    const Index image = s.height * s.width * s.channels;
    const bool in_place = s.padding == 0;
    const Index window_row = (in_place ? s.width : window.width) * s.channels;
    const Index window_size = in_place ? image : window.height * window_row;
    const Index most = std::clamp<Index>(kBlockNumbers / (window_size + places * s.outputs), 1, per_sum);
    Tensor windows = in_place ? Tensor() : Tensor::empty({most, window_size});
    Tensor packed = Tensor::empty({panels_size(most * places, group_outputs)});
    for (Index sum = first; sum < last; ++sum) {
      const Index end = std::min(s.n, (sum + 1) * per_sum);
      for (Index n = sum * per_sum, images; n < end; n += images) {
        images = std::min(most, end - n);
        for (Index i = 0; i < images && !in_place; ++i) {
          copy_window(x.data() + (n + i) * image, s.height, s.width, s.channels, window,
                      windows.data() + i * window_size);
        }
        for (Index group = 0; group < s.groups; ++group) {
          pack_panels(gy.data() + n * places * s.outputs + group * group_outputs, images * places, group_outputs,
                      s.outputs, packed.data());
          simd::kernels().convolution_weight(
              {.images = images,
               .rows = s.rows,
               .columns = s.columns,
               .outputs = group_outputs,
               .taps_y = s.taps_y,
               .taps_x = s.taps_x,
               .channels = group_channels,
               .x = (in_place ? x.data() + n * image : windows.data()) + group * group_channels,
               .x_step = {window_size, s.stride * window_row, s.stride * s.channels},
               .tap_row = window_row,
               .tap_place = s.channels},
              packed.data(), n > sum * per_sum, s.outputs, partial.data() + sum * size + group * group_outputs);
        }
      }
    }
  });
  if (sums == 1) return reshape(partial, s.w());
  Tensor gw = Tensor::empty(s.w());
  simd::kernels().sum(1, sums, size, partial.data(), gw.data());
  return gw;
}

// ---------------------------------------------------------------------------------------------------------------------
// The three ops in the graph

Tensor input_gradient(const Tensor& gy, const Tensor& w, const Sizes& s);
Tensor weight_gradient(const Tensor& x, const Tensor& gy, const Sizes& s);

// y = x * w + bias:   gx = gy * w over inputs,   gw = x * gy over weights,   gbias = sum of gy over positions
Tensor convolution(const Tensor& x, const Tensor& w, const Tensor& bias, const Sizes& s) {
  return record("conv2d", forward(x, w, bias, s), wrt(x, [w, s](const Tensor& gy) { return input_gradient(gy, w, s); }),
                wrt(w, [x, s](const Tensor& gy) { return weight_gradient(x, gy, s); }), wrt(bias, [](const Tensor& gy) {
                  return sum(gy, {.axes = {0, 1, 2}});
                }));
}

Tensor input_gradient(const Tensor& gy, const Tensor& w, const Sizes& s) {
  return record("conv2d_input_gradient", input_product(gy, w, s),
                wrt(gy, [w, s](const Tensor& gx) { return convolution(gx, w, {}, s); }),
                wrt(w, [gy, s](const Tensor& gx) { return weight_gradient(gx, gy, s); }));
}

Tensor weight_gradient(const Tensor& x, const Tensor& gy, const Sizes& s) {
  return record("conv2d_weight_gradient", weight_product(x, gy, s),
                wrt(x, [gy, s](const Tensor& gw) { return input_gradient(gy, gw, s); }),
                wrt(gy, [x, s](const Tensor& gw) { return convolution(x, gw, {}, s); }));
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& bias, const Conv2dOptions& options) {
  require(x.rank() == 4 && w.rank() == 4, "conv2d: expected x [N, H, W, C] and w [KH, KW, C / groups, O], got ",
          x.shape(), " and ", w.shape());
  require(options.stride > 0 && options.padding >= 0 && options.groups > 0, "conv2d: stride ", options.stride,
          ", padding ", options.padding, ", groups ", options.groups, ": expected 1 or more, 0 or more, 1 or more");
  require(options.padding <= kMaxElements, "conv2d: padding ", options.padding, " is more than memory can hold");
  const Index groups = options.groups, channels = x.dim(3), outputs = w.dim(3);
  require(channels % groups == 0 && outputs % groups == 0, "conv2d: ", channels, " channels and ", outputs,
          " outputs do not divide into ", groups, " groups");
  require(w.dim(2) == channels / groups, "conv2d: x ", x.shape(), " and w ", w.shape(), " in ", groups,
          " groups: the weights are for ", w.dim(2), " channels, expected ", channels / groups);
  require(w.dim(0) > 0 && w.dim(1) > 0 && w.dim(0) <= x.dim(1) + 2 * options.padding &&
              w.dim(1) <= x.dim(2) + 2 * options.padding,
          "conv2d: a kernel of ", w.dim(0), " x ", w.dim(1), " does not fit images of ", x.dim(1), " x ", x.dim(2),
          " with padding ", options.padding);
  require(!bias.defined() || bias.shape() == Shape{outputs}, "conv2d: bias of shape ", bias.shape(), " for ", outputs,
          " outputs");
  if (w.dim(0) == 1 && w.dim(1) == 1 && options.stride == 1 && options.padding == 0 && groups == 1) {
    // A 1 x 1 convolution is one matrix product.
    const Index places = Shape{x.dim(0), x.dim(1), x.dim(2)}.size();
    const Tensor y = linear(reshape(x, {places, channels}), transpose(reshape(w, {channels, outputs})), bias);
    return reshape(y, {x.dim(0), x.dim(1), x.dim(2), outputs});
  }
  return convolution(x, w, bias, Sizes(x.shape(), w.shape(), options));
}

}  // namespace rill
