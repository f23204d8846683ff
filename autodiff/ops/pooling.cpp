// Pooling and nearest upsampling: two pairs of ops, in each of which one is the transpose of the other.
//
//   average_pool, upsample_nearest:  sum a window and divide     <->   divide a number, add it all over the window
//   max_pool:                        pick a window's maximum     <->   add a number at the window's maximum
//
// Each is linear in the numbers that it sums, spreads, picks or puts, so it is the gradient of the other.
#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill {
namespace {

using Ranges = memory::Vector<simd::Range>;

// Windows along one axis of `places` pixels.
struct Axis {
  Index places, windows;
};

// Windows over an image of rows and columns.
struct Windows {
  Axis rows, columns;
  Index channels, window, stride, padding;

  Shape image(Index count) const { return {count, rows.places, columns.places, channels}; }
  Shape pooled(Index count) const { return {count, rows.windows, columns.windows, channels}; }

  // The pixels that window i covers.
  Ranges places_of_windows(const Axis& axis) const {
    Ranges ranges;
    ranges.reserve(static_cast<std::size_t>(axis.windows));
    for (Index i = 0; i < axis.windows; ++i) {
      const Index first = i * stride - padding;
      ranges.push_back({std::max<Index>(0, first), std::min(axis.places, first + window)});
    }
    return ranges;
  }

  // The windows that cover pixel i: those with j stride - padding in (i - window, i].
  Ranges windows_of_places(const Axis& axis) const {
    Ranges ranges;
    ranges.reserve(static_cast<std::size_t>(axis.places));
    for (Index i = 0; i < axis.places; ++i) {
      const Index last = i + padding, before = last - window;  // `before` is the last one that lies outside
      ranges.push_back({before < 0 ? 0 : before / stride + 1, std::min(axis.windows, last / stride + 1)});
    }
    return ranges;
  }
};

Windows windows_over(const char* op, const Tensor& x, const Pool& pool) {
  require(x.rank() == 4, op, ": expected x [N, H, W, C], got ", x.shape());
  const Index stride = pool.stride == 0 ? pool.window : pool.stride;
  require(pool.window >= 1 && stride >= 1, op, ": expected a window and a stride of at least 1, got ", pool.window,
          " and ", pool.stride);
  require(pool.window <= kMaxElements && stride <= kMaxElements, op, ": a window of ", pool.window, " and a stride of ",
          stride, ", expected at most 2^48");
  require(pool.padding >= 0, op, ": padding ", pool.padding, " is negative");
  require(pool.padding <= pool.window / 2, op, ": padding ", pool.padding, " is more than half the window, ",
          pool.window);
  const Index h = x.dim(1) + 2 * pool.padding - pool.window, w = x.dim(2) + 2 * pool.padding - pool.window;
  require(h >= 0 && w >= 0 && x.dim(1) > 0 && x.dim(2) > 0, op, ": no window of ", pool.window, " x ", pool.window,
          " fits into x ", x.shape(), " with padding ", pool.padding);
  return {{x.dim(1), h / stride + 1}, {x.dim(2), w / stride + 1}, x.dim(3), pool.window, stride, pool.padding};
}

// body(n) for each image, on several threads.
template <class Body>
void for_images(Index count, const Windows& w, const Body& body) {
  const Index each = std::max(w.image(1).size(), w.pooled(1).size());
  parallel_for(count, std::max<Index>(1, detail::kElementGrain / std::max<Index>(1, each)),
               [&](Index begin, Index end) {
                 for (Index n = begin; n < end; ++n) body(n);
               });
}

// y = (the sum of x over each rectangle) / divisor, image by image.
void sum_rectangles(const Windows& w, const Tensor& x, const Ranges& rows, const Ranges& columns, Real divisor,
                    Tensor& y) {
  const Index count = x.dim(0);
  for_images(count, w, [&](Index n) {
    simd::kernels().sum_rectangles({y.dim(1), y.dim(2), rows.data(), columns.data(), x.dim(2), w.channels},
                                   x.data() + n * (x.size() / count), divisor, y.data() + n * (y.size() / count));
  });
}

Tensor spread(const Tensor& y, const Windows& w, Real divisor);

// [N, H, W, C] -> [N, H', W', C]
Tensor summed(const Tensor& x, const Windows& w, Real divisor) {
  Tensor y = Tensor::empty(w.pooled(x.dim(0)));
  sum_rectangles(w, x, w.places_of_windows(w.rows), w.places_of_windows(w.columns), divisor, y);
  return record("sums_of_windows", y, wrt(x, [w, divisor](const Tensor& gy) { return spread(gy, w, divisor); }));
}

// [N, H', W', C] -> [N, H, W, C]
Tensor spread(const Tensor& y, const Windows& w, Real divisor) {
  Tensor x = Tensor::empty(w.image(y.dim(0)));
  sum_rectangles(w, y, w.windows_of_places(w.rows), w.windows_of_places(w.columns), divisor, x);
  return record("spread_over_windows", x, wrt(y, [w, divisor](const Tensor& gx) { return summed(gx, w, divisor); }));
}

// body(windows, offset of image n, offset of its result)
template <class Body>
void for_maxima(Index count, const Windows& w, const Body& body) {
  const Ranges rows = w.places_of_windows(w.rows), columns = w.places_of_windows(w.columns);
  const Index image = w.image(1).size(), pooled = w.pooled(1).size();
  const simd::Rectangles at{w.rows.windows, w.columns.windows, rows.data(),
                            columns.data(), w.columns.places,  w.channels};
  for_images(count, w, [&](Index n) { body(at, n * image, n * pooled); });
}

Tensor put(const Tensor& y, const Tensor& x, const Windows& w);

// The numbers of v at the maxima of x.   v, x: [N, H, W, C] -> [N, H', W', C]
Tensor picked(const Tensor& v, const Tensor& x, const Windows& w) {
  Tensor y = Tensor::empty(w.pooled(x.dim(0)));
  for_maxima(x.dim(0), w, [&](const simd::Rectangles& at, Index in, Index out) {
    simd::kernels().pick_at_maxima(at, x.data() + in, v.data() + in, y.data() + out);
  });
  return record("max_pool", y, wrt(v, [x = x.detach(), w](const Tensor& gy) { return put(gy, x, w); }));
}

// Adds the numbers of y at the maxima of x.   y: [N, H', W', C], x: [N, H, W, C] -> as x
Tensor put(const Tensor& y, const Tensor& x, const Windows& w) {
  Tensor gx = Tensor::zeros(x.shape());
  for_maxima(x.dim(0), w, [&](const simd::Rectangles& at, Index in, Index out) {
    simd::kernels().add_at_maxima(at, x.data() + in, y.data() + out, gx.data() + in);
  });
  return record("put_at_maxima", gx, wrt(y, [x, w](const Tensor& ggx) { return picked(ggx, x, w); }));
}

}  // namespace

Tensor max_pool(const Tensor& x, const Pool& pool) { return picked(x, x, windows_over("max_pool", x, pool)); }

Tensor average_pool(const Tensor& x, const Pool& pool) {
  const Windows w = windows_over("average_pool", x, pool);
  return summed(x, w, static_cast<Real>(pool.window) * static_cast<Real>(pool.window));
}

Tensor upsample_nearest(const Tensor& x, Index factor) {
  require(x.rank() == 4, "upsample_nearest: expected x [N, H, W, C], got ", x.shape());
  require(factor >= 1, "upsample_nearest: expected a factor of at least 1, got ", factor);
  const Index h = x.dim(1), w = x.dim(2);
  const Index rows = checked_product("upsample_nearest", {factor, h});
  const Index columns = checked_product("upsample_nearest", {factor, w});
  return spread(x, {{rows, h}, {columns, w}, x.dim(3), factor, factor, 0}, 1);
}

}  // namespace rill
