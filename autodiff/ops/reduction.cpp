// Sums, means and maxima over any axes.
#include <algorithm>
#include <array>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"

namespace rill {
namespace {

// The shapes of a reduction's result, and which axes it reduces.
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

// The kernel of a reduction and, unless the same kernel does it, how the results of pieces are combined. Each piece has
// `rows` rows; the last may have fewer.   parts: [pieces, inner] -> y: [inner]
struct Kind {
  simd::Kernels::Reduction kernel;
  void (*join)(Index reduced, Index rows, const Tensor& parts, Real* y) = nullptr;
};

void join_means(Index reduced, Index rows, const Tensor& parts, Real* y) {
  const Index pieces = parts.dim(0), inner = parts.dim(1);
  for (Index i = 0; i < inner; ++i) {
    Wide total = 0;
    for (Index p = 0; p < pieces; ++p) {
      total += static_cast<Wide>(parts.data()[p * inner + i]) * static_cast<Wide>(std::min(rows, reduced - p * rows));
    }
    y[i] = static_cast<Real>(total / static_cast<Wide>(reduced));
  }
}

// [outer, reduced, inner] -> [outer, inner] on several threads. One long reduction is cut into pieces of fixed size.
void reduce(const Kind& kind, Index outer, Index reduced, Index inner, const Real* x, Real* y) {
  const Index each = std::max<Index>(1, reduced * inner);
  if (outer > 1 || each <= 2 * detail::kElementGrain || reduced == 1) {
    const Index grain = std::max<Index>(1, detail::kElementGrain / each);
    parallel_for(outer, grain, [&](Index begin, Index end) {
      kind.kernel(end - begin, reduced, inner, x + begin * reduced * inner, y + begin * inner);
    });
    return;
  }
  const Index rows = std::max<Index>(1, detail::kElementGrain / std::max<Index>(1, inner));
  Tensor parts = Tensor::empty({(reduced + rows - 1) / rows, inner});
  Real* out = parts.data();
  parallel_for(reduced, rows, [&](Index begin, Index end) {
    kind.kernel(1, end - begin, inner, x + begin * inner, out + begin / rows * inner);
  });
  if (kind.join) {
    kind.join(reduced, rows, parts, y);
  } else {
    kind.kernel(1, parts.dim(0), inner, parts.data(), y);
  }
}

// Each run of adjacent reduced axes is one pass; the last run goes first.
Tensor reduce_axes(const Kind& kind, const Tensor& x, const Reduced& r) {
  if (x.rank() == 0) return Tensor::scalar(static_cast<double>(x.item()));
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
    if (next.size() > 0) reduce(kind, outer, reduced, inner, current.data(), next.data());
    current = next;
    end = begin;
  }
  return current;
}

}  // namespace

Tensor sum(const Tensor& x, const Over& over) {
  const Reduced r = reduced_shape("sum", x, over.axes);
  const Tensor total = reduce_axes({simd::kernels().sum}, x, r);
  const Tensor y(total.storage(), over.keep ? r.kept : r.dropped, nullptr);
  return record("sum", y, wrt(x, [s = x.shape(), kept = r.kept](const Tensor& gy) {
                  return broadcast_to(reshape(gy, kept), s);
                }));
}

Tensor mean(const Tensor& x, const Over& over) {
  const Reduced r = reduced_shape("mean", x, over.axes);
  const Tensor average = reduce_axes({simd::kernels().mean, join_means}, x, r);
  const Tensor y(average.storage(), over.keep ? r.kept : r.dropped, nullptr);
  return record("mean", y, wrt(x, [s = x.shape(), r](const Tensor& gy) {
                  return broadcast_to(reshape(gy / static_cast<double>(r.count), r.kept), s);
                }));
}

// Equal maxima share the gradient:   gx = x = y ? gy / #{x = y} : 0
Tensor max(const Tensor& x, const Over& over) {
  const Reduced r = reduced_shape("max", x, over.axes);
  require(r.count > 0, "max: no elements to reduce in shape ", x.shape());
  const Tensor largest = reduce_axes({simd::kernels().max}, x, r);
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
