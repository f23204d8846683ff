// Ops that only move numbers; every gradient moves them back.
#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"

namespace rill {

Tensor reshape(const Tensor& x, Shape shape) {
  detail::require_defined("reshape", x);
  int unknown = -1;
  Index known = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] != -1) {
      known = checked_product("reshape", {known, shape[axis]});
    } else {
      require(unknown < 0, "reshape: more than one -1 in ", shape);
      unknown = axis;
    }
  }
  if (unknown >= 0 && known > 0 && x.size() % known == 0) shape[unknown] = x.size() / known;
  require(!(unknown >= 0 && shape[unknown] < 0) && shape.size() == x.size(), "reshape: ", x.shape(), " does not fit ",
          shape);
  return record("reshape", Tensor(x.storage(), shape, nullptr),
                wrt(x, [s = x.shape()](const Tensor& gy) { return reshape(gy, s); }));
}

namespace {

// Copies `rows` runs of `width` numbers, whose starts have the given strides. A short run whose width is a compile-time
// constant takes a move or two; a call to memcpy would take longer.
template <Index width = 8>
void copy_rows(Index rows, Index any_width, const Real* in, Index in_step, Real* out, Index out_step) {
  if constexpr (width > 0) {
    if (any_width < width) return copy_rows<width - 1>(rows, any_width, in, in_step, out, out_step);
  }
  const auto bytes = static_cast<std::size_t>(width == 8 ? any_width : width) * sizeof(Real);
  for (; rows > 0; --rows, in += in_step, out += out_step) std::memcpy(out, in, bytes);
}

// y[i_0, i_1, ...] = x at the offset sum i_a strides[a], for y of the given shape.
Tensor strided_copy(const Tensor& x, const Shape& shape, const Shape& strides) {
  Tensor y = Tensor::empty(shape);
  if (y.size() == 0) return y;
  const int last = shape.rank() - 1;
  const Index columns = last >= 0 ? shape[last] : 1, step = last >= 0 ? strides[last] : 0;
  const Real* in = x.data();
  Real* out = y.data();
  parallel_for(y.size() / columns, std::max<Index>(1, detail::kElementGrain / columns), [&](Index begin, Index end) {
    if (last <= 1 && step == 1) {
      const Index row_step = last == 1 ? strides[0] : 0;
      return copy_rows(end - begin, columns, in + begin * row_step, row_step, out + begin * columns, columns);
    }
    for (Index row = begin; row < end; ++row) {
      Index offset = 0, rest = row;
      for (int axis = last - 1; axis >= 0; --axis) {
        offset += rest % shape[axis] * strides[axis];
        rest /= shape[axis];
      }
      Real* to = out + row * columns;
      if (step == 1) {
        std::copy_n(in + offset, columns, to);
      } else {
        for (Index c = 0; c < columns; ++c) to[c] = in[offset + c * step];
      }
    }
  });
  return y;
}

Shape contiguous_strides(const Shape& shape) {
  Shape strides = shape;
  Index stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

}  // namespace

Tensor permute(const Tensor& x, const Axes& axes) {
  detail::require_defined("permute", x);
  require(axes.rank() == x.rank(), "permute: ", axes.rank(), " axes for shape ", x.shape());
  const Shape from = contiguous_strides(x.shape());
  Shape shape = x.shape(), strides = from;
  Axes inverse = axes;
  std::array<bool, kMaxRank> used{};
  for (int i = 0; i < axes.rank(); ++i) {
    const int axis = normalize_axis("permute", axes[i], x.rank());
    require(!std::exchange(used[static_cast<std::size_t>(axis)], true), "permute: axis ", axis, " is given twice in ",
            axes);
    shape[i] = x.shape()[axis];
    strides[i] = from[axis];
    inverse[axis] = i;
  }
  return record("permute", strided_copy(x, shape, strides),
                wrt(x, [inverse](const Tensor& gy) { return permute(gy, inverse); }));
}

Tensor transpose(const Tensor& x) {
  require(x.rank() >= 2, "transpose: expected at least two axes, got ", x.shape());
  const Index rows = x.dim(-2), columns = x.dim(-1);
  Shape shape = x.shape();
  std::swap(shape[x.rank() - 2], shape[x.rank() - 1]);
  Tensor y = Tensor::empty(shape);
  const Index matrix = rows * columns, count = matrix > 0 ? x.size() / matrix : 0;
  parallel_for(count, std::max<Index>(1, detail::kElementGrain / std::max<Index>(1, matrix)),
               [&](Index begin, Index end) {
                 for (Index i = begin; i < end; ++i) {
                   simd::kernels().transpose(rows, columns, x.data() + i * matrix, y.data() + i * matrix);
                 }
               });
  return record("transpose", y, wrt(x, [](const Tensor& gy) { return transpose(gy); }));
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  detail::require_defined("broadcast_to", x);
  require(x.rank() <= shape.rank() && broadcast_shapes("broadcast_to", x.shape(), shape) == shape,
          "broadcast_to: ", x.shape(), " does not broadcast to ", shape);
  Shape strides = shape;
  const Shape from = contiguous_strides(x.shape());
  const int offset = shape.rank() - x.rank();
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const bool repeats = axis < offset || x.shape()[axis - offset] == 1;
    strides[axis] = repeats ? 0 : from[axis - offset];
  }
  return record("broadcast_to", strided_copy(x, shape, strides),
                wrt(x, [s = x.shape()](const Tensor& gy) { return unbroadcast(gy, s); }));
}

namespace {

// A tensor seen as [outer, axis, inner].
struct AxisView {
  Index outer = 1, size = 1, inner = 1;
  AxisView(const Shape& shape, int axis) : size(shape[axis]) {
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
};

}  // namespace

Tensor concatenate(std::span<const Tensor> xs, Index axis) {
  require(!xs.empty(), "concatenate: no tensors");
  const int at = normalize_axis("concatenate", axis, xs[0].rank());
  Shape shape = xs[0].shape();
  shape[at] = 0;
  memory::Vector<Index> starts;
  for (const Tensor& x : xs) {
    starts.push_back(shape[at]);
    Shape rest = x.rank() == shape.rank() ? x.shape() : Shape{};
    if (rest.rank() > 0) rest[at] = shape[at];
    require(rest == shape, "concatenate: ", x.shape(), " and ", xs[0].shape(), " differ outside axis ", at);
    shape[at] = checked_sum("concatenate", {shape[at], x.shape()[at]});
  }
  Tensor y = Tensor::empty(shape);
  const AxisView to(shape, at);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const Index width = xs[i].shape()[at] * to.inner;
    copy_rows(to.outer, width, xs[i].data(), width, y.data() + starts[i] * to.inner, to.size * to.inner);
  }
  starts.push_back(shape[at]);
  return record_each("concatenate", y, xs,
                     [starts, at](const Tensor& gy, std::size_t i) { return slice(gy, at, starts[i], starts[i + 1]); });
}

Tensor slice(const Tensor& x, Index axis, Index begin, Index end) {
  const int at = normalize_axis("slice", axis, x.rank());
  const AxisView from(x.shape(), at);
  require(0 <= begin && begin <= end && end <= from.size, "slice: [", begin, ", ", end, ") of axis ", at, " of shape ",
          x.shape());
  Shape shape = x.shape();
  shape[at] = end - begin;
  Tensor y = Tensor::empty(shape);
  const Index width = (end - begin) * from.inner;
  copy_rows(from.outer, width, x.data() + begin * from.inner, from.size * from.inner, y.data(), width);
  return record("slice", y, wrt(x, [s = x.shape(), at, begin, end](const Tensor& gy) {
                  Shape before = s, after = s;
                  before[at] = begin;
                  after[at] = s[at] - end;
                  return concatenate({Tensor::zeros(before), gy, Tensor::zeros(after)}, at);
                }));
}

namespace {
void check_rows(const char* op, const Indices& rows, Index count) {
  for (const Index row : rows) require(0 <= row && row < count, op, ": row ", row, " of ", count);
}
}  // namespace

Tensor gather_rows(const Tensor& x, const Indices& rows) {
  require(x.rank() >= 1, "gather_rows: expected at least one axis, got a scalar");
  const Index count = x.dim(0), width = AxisView(x.shape(), 0).inner;
  check_rows("gather_rows", rows, count);
  Shape shape = x.shape();
  shape[0] = rows.size();
  Tensor y = Tensor::empty(shape);
  for (Index i = 0; i < rows.size(); ++i) std::copy_n(x.data() + rows[i] * width, width, y.data() + i * width);
  return record("gather_rows", y, wrt(x, [rows, count](const Tensor& gy) { return scatter_rows(gy, rows, count); }));
}

Tensor scatter_rows(const Tensor& x, const Indices& rows, Index count) {
  require(x.rank() >= 1 && x.dim(0) == rows.size(), "scatter_rows: ", rows.size(), " rows for shape ", x.shape());
  check_rows("scatter_rows", rows, count);
  Shape shape = x.shape();
  shape[0] = count;
  Tensor y = Tensor::zeros(shape);
  const Index width = AxisView(x.shape(), 0).inner;
  for (Index i = 0; i < rows.size(); ++i) {
    Real* to = y.data() + rows[i] * width;
    simd::kernels().add(1, width, {to, 0, 1}, {x.data() + i * width, 0, 1}, to);
  }
  return record("scatter_rows", y, wrt(x, [rows](const Tensor& gy) { return gather_rows(gy, rows); }));
}

}  // namespace rill
