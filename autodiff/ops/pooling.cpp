// Pooling and nearest upsampling: two pairs of ops, in each of which one is the transpose of the other.
//
//   sums of windows, times a number   <->   a number spread over its window     average pooling, upsampling
//   the place of a window's maximum   <->   a number put to that place          max pooling
//
// Each one is linear, in what it sums, spreads, picks or puts; its gradient is the other one.
#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"

namespace rill {
namespace {

// Windows over an image [height, width, channels], and how many there are.
struct Windows {
  Index height, width, channels, window, stride, padding, rows, columns;
};

Index image_size(const Windows& w) { return w.height * w.width * w.channels; }
Index pooled_size(const Windows& w) { return w.rows * w.columns * w.channels; }

Windows windows_over(const char* op, const Tensor& x, const Pool& pool) {
  require(x.rank() == 4, op, ": expected x [N, H, W, C], got ", x.shape());
  const Index stride = pool.stride == 0 ? pool.window : pool.stride;
  require(pool.window >= 1 && stride >= 1, op, ": expected a window and a stride of at least 1, got ", pool.window,
          " and ", pool.stride);
  require(pool.padding >= 0, op, ": padding ", pool.padding, " is negative");
  require(2 * pool.padding <= pool.window, op, ": padding ", pool.padding, " is more than half the window, ",
          pool.window);
  const Index h = x.dim(1) + 2 * pool.padding - pool.window, w = x.dim(2) + 2 * pool.padding - pool.window;
  require(h >= 0 && w >= 0, op, ": no window of ", pool.window, " x ", pool.window, " fits into x ", x.shape(),
          " with padding ", pool.padding);
  return {x.dim(1), x.dim(2), x.dim(3), pool.window, stride, pool.padding, h / stride + 1, w / stride + 1};
}

// body(n) for each of the images.
template <class Body>
void for_images(Index count, const Windows& w, const Body& body) {
  const Index each = std::max<Index>(1, std::max(image_size(w), pooled_size(w) * w.window * w.window));
  parallel_for(count, std::max<Index>(1, detail::kElementGrain / each), [&](Index begin, Index end) {
    for (Index n = begin; n < end; ++n) body(n);
  });
}

// body(place in the image, place in the result) for each pair of which the one lies in the other's window.
template <class Body>
void for_places(const Windows& w, const Body& body) {
  for (Index r = 0; r < w.rows; ++r) {
    for (Index c = 0; c < w.columns; ++c) {
      for (Index i = 0; i < w.window; ++i) {
        for (Index j = 0; j < w.window; ++j) {
          const Index y = r * w.stride - w.padding + i, x = c * w.stride - w.padding + j;
          if (0 <= y && y < w.height && 0 <= x && x < w.width) body(y * w.width + x, r * w.columns + c);
        }
      }
    }
  }
}

Tensor spread(const Tensor& y, const Windows& w, Real scale);

// y = scale times the sum over each window.   x: [N, H, W, C] -> [N, H', W', C]
Tensor sums(const Tensor& x, const Windows& w, Real scale) {
  Tensor y = Tensor::zeros({x.dim(0), w.rows, w.columns, w.channels});
  for_images(x.dim(0), w, [&](Index n) {
    const Real* from = x.data() + n * image_size(w);
    Real* to = y.data() + n * pooled_size(w);
    for_places(w, [&](Index in, Index out) {
      for (Index c = 0; c < w.channels; ++c) to[out * w.channels + c] += scale * from[in * w.channels + c];
    });
  });
  return record("sums_of_windows", y, wrt(x, [w, scale](const Tensor& gy) { return spread(gy, w, scale); }));
}

// Each number times scale, added to all places of its window.   y: [N, H', W', C] -> [N, H, W, C]
Tensor spread(const Tensor& y, const Windows& w, Real scale) {
  Tensor x = Tensor::zeros({y.dim(0), w.height, w.width, w.channels});
  for_images(y.dim(0), w, [&](Index n) {
    const Real* from = y.data() + n * pooled_size(w);
    Real* to = x.data() + n * image_size(w);
    for_places(w, [&](Index in, Index out) {
      for (Index c = 0; c < w.channels; ++c) to[in * w.channels + c] += scale * from[out * w.channels + c];
    });
  });
  return record("spread_over_windows", x, wrt(y, [w, scale](const Tensor& gx) { return sums(gx, w, scale); }));
}

// The place of the first maximum of x in the window at (r, column); of a NaN, if there is one.
Index place_of_maximum(const Windows& w, const Real* x, Index r, Index column, Index channel) {
  Index best = -1;
  for (Index i = 0; i < w.window; ++i) {
    for (Index j = 0; j < w.window; ++j) {
      const Index row = r * w.stride - w.padding + i, col = column * w.stride - w.padding + j;
      if (row < 0 || row >= w.height || col < 0 || col >= w.width) continue;
      const Index at = (row * w.width + col) * w.channels + channel;
      if (best < 0 || x[at] > x[best] || (std::isnan(x[at]) && !std::isnan(x[best]))) best = at;
    }
  }
  return best;
}

// body(place of the maximum, place in the result) for each window.
template <class Body>
void for_maxima(const Windows& w, const Real* x, const Body& body) {
  for (Index r = 0; r < w.rows; ++r) {
    for (Index column = 0; column < w.columns; ++column) {
      for (Index c = 0; c < w.channels; ++c) {
        body(place_of_maximum(w, x, r, column, c), (r * w.columns + column) * w.channels + c);
      }
    }
  }
}

Tensor put(const Tensor& y, const Tensor& x, const Windows& w);

// The numbers of v where x has the maximum of each window.   v, x: [N, H, W, C] -> [N, H', W', C]
Tensor picked(const Tensor& v, const Tensor& x, const Windows& w) {
  Tensor y = Tensor::empty({x.dim(0), w.rows, w.columns, w.channels});
  for_images(x.dim(0), w, [&](Index n) {
    const Real* from = v.data() + n * image_size(w);
    Real* to = y.data() + n * pooled_size(w);
    for_maxima(w, x.data() + n * image_size(w), [&](Index in, Index out) { to[out] = from[in]; });
  });
  return record("max_pool", y, wrt(v, [x = x.detach(), w](const Tensor& gy) { return put(gy, x, w); }));
}

// Each number added to the place where x has the maximum of its window.   y: [N, H', W', C], x: [N, H, W, C] -> as x
Tensor put(const Tensor& y, const Tensor& x, const Windows& w) {
  Tensor gx = Tensor::zeros(x.shape());
  for_images(x.dim(0), w, [&](Index n) {
    const Real* from = y.data() + n * pooled_size(w);
    Real* to = gx.data() + n * image_size(w);
    for_maxima(w, x.data() + n * image_size(w), [&](Index in, Index out) { to[in] += from[out]; });
  });
  return record("put_to_maxima", gx, wrt(y, [x, w](const Tensor& ggx) { return picked(ggx, x, w); }));
}

}  // namespace

Tensor max_pool(const Tensor& x, const Pool& pool) { return picked(x, x, windows_over("max_pool", x, pool)); }

Tensor average_pool(const Tensor& x, const Pool& pool) {
  const Windows w = windows_over("average_pool", x, pool);
  return sums(x, w, 1 / static_cast<Real>(pool.window * pool.window));
}

Tensor upsample_nearest(const Tensor& x, Index factor) {
  require(x.rank() == 4, "upsample_nearest: expected x [N, H, W, C], got ", x.shape());
  require(factor >= 1, "upsample_nearest: expected a factor of at least 1, got ", factor);
  return spread(x, {factor * x.dim(1), factor * x.dim(2), x.dim(3), factor, factor, 0, x.dim(1), x.dim(2)}, 1);
}

}  // namespace rill
