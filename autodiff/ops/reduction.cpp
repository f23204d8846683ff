// Sums, means and maxima over any axes.
#include <algorithm>
#include <array>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"

namespace rill {
namespace {

// The shape with the reduced axes at size 1, and which axes those are.
struct Reduced {
  std::array<bool, kMaxRank> over{};
  Shape kept;     // size 1 where reduced
  Shape dropped;  // reduced axes left out
  Index count = 1;
};

Reduced reduced_shape(const char* op, const Tensor& x, const Axes& axes) {
  detail::require_defined(op, x);
  const Shape& shape = x.shape();
  Reduced r;
  if (axes.rank() == 0) r.over.fill(true);
  for (const Index axis : axes) {
    const int at = normalize_axis(op, axis, shape.rank());
    require(!std::exchange(r.over[static_cast<std::size_t>(at)], true), op, ": axis ", at, " is given twice");
  }
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const bool over = r.over[static_cast<std::size_t>(axis)];
    r.kept.push_back(over ? 1 : shape[axis]);
    if (over) {
      r.count *= shape[axis];
    } else {
      r.dropped.push_back(shape[axis]);
    }
  }
  return r;
}

// [outer, reduced, inner] -> [outer, inner] on several threads. One long reduction is cut into pieces of fixed size,
// whose results are reduced in turn.
void reduce(simd::Kernels::Reduction kernel, Index outer, Index reduced, Index inner, const Real* x, Real* y) {
  const Index each = std::max<Index>(1, reduced * inner);
  if (outer > 1 || each <= 2 * detail::kElementGrain || reduced == 1) {
    const Index grain = std::max<Index>(1, detail::kElementGrain / each);
    parallel_for(outer, grain, [&](Index begin, Index end) {
      kernel(end - begin, reduced, inner, x + begin * reduced * inner, y + begin * inner);
    });
    return;
  }
  const Index rows = std::max<Index>(1, detail::kElementGrain / std::max<Index>(1, inner));
  const Index pieces = (reduced + rows - 1) / rows;
  Tensor partial = Tensor::empty({pieces, inner});
  Real* out = partial.data();
  parallel_for(reduced, rows, [&](Index begin, Index end) {
    kernel(1, end - begin, inner, x + begin * inner, out + begin / rows * inner);
  });
  kernel(1, pieces, inner, out, y);
}

// Each run of neighbouring reduced axes is one pass; the last run goes first.
Tensor reduce_axes(simd::Kernels::Reduction kernel, const Tensor& x, const Reduced& r) {
  Tensor current = x.detach();
  Shape shape = x.shape();
  for (int end = shape.rank(); end > 0;) {
    if (!r.over[static_cast<std::size_t>(end - 1)]) {
      --end;
      continue;
    }
    int begin = end;
    Index outer = 1, reduced = 1, inner = 1;
    for (; begin > 0 && r.over[static_cast<std::size_t>(begin - 1)]; --begin) reduced *= shape[begin - 1];
    for (int axis = 0; axis < begin; ++axis) outer *= shape[axis];
    for (int axis = end; axis < shape.rank(); ++axis) inner *= shape[axis];
    for (int axis = begin; axis < end; ++axis) shape[axis] = 1;
    Tensor next = Tensor::empty(shape);
    if (next.size() > 0) reduce(kernel, outer, reduced, inner, current.data(), next.data());
    current = next;
    end = begin;
  }
  return current;
}

}  // namespace

Tensor sum(const Tensor& x, const Over& over) {
  const Reduced r = reduced_shape("sum", x, over.axes);
  const Tensor total = reduce_axes(simd::kernels().sum, x, r);
  const Tensor y(total.storage(), over.keep ? r.kept : r.dropped, nullptr);
  return record("sum", y, wrt(x, [s = x.shape(), kept = r.kept](const Tensor& gy) {
                  return broadcast_to(reshape(gy, kept), s);
                }));
}

Tensor mean(const Tensor& x, const Over& over) {
  const Index count = reduced_shape("mean", x, over.axes).count;
  return sum(x, over) / static_cast<double>(count);
}

// Equal maxima share the gradient:   gx = x = y ? gy / #{x = y} : 0
Tensor max(const Tensor& x, const Over& over) {
  const Reduced r = reduced_shape("max", x, over.axes);
  require(r.count > 0, "max: no elements to reduce in shape ", x.shape());
  const Tensor largest = reduce_axes(simd::kernels().max, x, r);
  const Tensor y(largest.storage(), over.keep ? r.kept : r.dropped, nullptr);
  return record("max", y, wrt(x, [x = x.detach(), largest, axes = over.axes](const Tensor& gy) {
                  const Tensor chosen = equal(x, largest);
                  const Tensor share = reshape(gy, largest.shape()) / sum(chosen, {.axes = axes, .keep = true});
                  return where(chosen, share, Tensor::scalar(0));
                }));
}

Tensor unbroadcast(const Tensor& x, const Shape& shape) {
  detail::require_defined("unbroadcast", x);
  if (x.shape() == shape) return x;
  require(shape.rank() <= x.rank() && broadcast_shapes("unbroadcast", shape, x.shape()) == x.shape(),
          "unbroadcast: ", shape, " does not broadcast to ", x.shape());
  const int offset = x.rank() - shape.rank();
  Axes repeated;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (axis < offset || (shape[axis - offset] == 1 && x.shape()[axis] != 1)) repeated.push_back(axis);
  }
  return reshape(repeated.rank() > 0 ? sum(x, {.axes = repeated, .keep = true}) : x, shape);
}

}  // namespace rill
