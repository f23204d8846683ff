// Helpers of the ops: run an elementwise kernel over whole tensors, with broadcasting and threads.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>

#include "autodiff/error.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/shape.hpp"
#include "autodiff/simd/kernels.hpp"
#include "autodiff/tensor.hpp"

namespace rill::detail {

/// Numbers per piece of an elementwise loop: some 10 microseconds of memory traffic.
inline constexpr Index kElementGrain = 1 << 15;

/// Throws std::invalid_argument, naming the op, if an input is undefined. For ops that do not check the rank of an
/// input (an undefined tensor has rank 0).
template <std::same_as<Tensor>... T>
void require_defined(const char* op, const T&... inputs) {
  require((inputs.defined() && ...), op, ": an undefined tensor (it was default-constructed or moved from)");
}

/// y = f(x): kernel(n, x, y) is called on pieces.
template <class Kernel>
Tensor map(const char* op, const Tensor& x, const Kernel& kernel) {
  require_defined(op, x);
  Tensor y = Tensor::empty(x.shape());
  const Real* in = x.data();
  Real* out = y.data();
  parallel_for(x.size(), kElementGrain, [&](Index begin, Index end) { kernel(end - begin, in + begin, out + begin); });
  return y;
}

/// y = f(a, v), equal shapes: kernel(n, a, v, y) is called on pieces.
template <class Kernel>
Tensor map(const char* op, const Tensor& a, const Tensor& v, const Kernel& kernel) {
  require_defined(op, a, v);
  require(a.shape() == v.shape(), op, ": shapes ", a.shape(), " and ", v.shape(), " differ");
  Tensor y = Tensor::empty(v.shape());
  const Real *in_a = a.data(), *in_v = v.data();
  Real* out = y.data();
  parallel_for(v.size(), kElementGrain,
               [&](Index begin, Index end) { kernel(end - begin, in_a + begin, in_v + begin, out + begin); });
  return y;
}

/// How N operands broadcast to one shape, with as few loops as possible: axes of size 1 are left out, and
/// neighboring axes merge if every operand either repeats over both or is contiguous over both.
template <std::size_t N>
struct BroadcastPlan {
  int rank = 0;
  std::array<Index, kMaxRank> sizes{};
  std::array<std::array<Index, kMaxRank>, N> strides{};  // 0 where an operand repeats

  BroadcastPlan(const Shape& to, const std::array<const Tensor*, N>& operands) {
    std::array<Index, N> next{};  // each operand's stride along the current axis
    next.fill(1);
    for (int back = 1; back <= to.rank(); ++back) {  // from the last axis to the first
      const Index size = to[to.rank() - back];
      std::array<Index, N> stride{};
      for (std::size_t i = 0; i < N; ++i) {
        const Shape& shape = operands[i]->shape();
        const Index own = back <= shape.rank() ? shape[shape.rank() - back] : 1;
        stride[i] = own == 1 ? 0 : next[i];
        next[i] *= own;
      }
      if (size == 1) continue;
      bool merges = rank > 0;
      for (std::size_t i = 0; i < N && merges; ++i) merges = stride[i] == strides[i][outermost()] * sizes[outermost()];
      if (merges) {
        sizes[outermost()] *= size;
      } else {
        sizes[static_cast<std::size_t>(rank)] = size;
        for (std::size_t i = 0; i < N; ++i) strides[i][static_cast<std::size_t>(rank)] = stride[i];
        ++rank;
      }
    }
  }

  /// Calls f(rows, columns, operands, first) for every two-dimensional slab; `first` is its position in the result.
  template <class F>
  void for_each_slab(const std::array<const Tensor*, N>& operands, const F& f) const {
    const Index columns = rank > 0 ? sizes[0] : 1;
    const Index rows = rank > 1 ? sizes[1] : 1;
    Index slabs = 1;
    for (int axis = 2; axis < rank; ++axis) slabs *= sizes[static_cast<std::size_t>(axis)];
    const auto slab = [&](Index index, Index r0, Index r1, Index c0, Index c1) {
      std::array<simd::Operand, N> at;
      for (std::size_t i = 0; i < N; ++i) {
        const Index column = rank > 0 ? strides[i][0] : 0, row = rank > 1 ? strides[i][1] : 0;
        Index offset = r0 * row + c0 * column, rest = index;
        for (std::size_t axis = 2; axis < static_cast<std::size_t>(rank); ++axis) {
          offset += rest % sizes[axis] * strides[i][axis];
          rest /= sizes[axis];
        }
        at[i] = {operands[i]->data() + offset, row, column};
      }
      f(r1 - r0, c1 - c0, at, (index * rows + r0) * columns + c0);
    };
    const auto grain = [](Index each) { return std::max<Index>(1, kElementGrain / std::max<Index>(1, each)); };
    if (slabs > 1) {
      parallel_for(slabs, grain(rows * columns), [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) slab(i, 0, rows, 0, columns);
      });
    } else if (rows > 1) {
      parallel_for(rows, grain(columns), [&](Index begin, Index end) { slab(0, begin, end, 0, columns); });
    } else {
      parallel_for(columns, kElementGrain, [&](Index begin, Index end) { slab(0, 0, 1, begin, end); });
    }
  }

 private:
  std::size_t outermost() const { return static_cast<std::size_t>(rank - 1); }
};

/// y = f(a, b) with broadcasting, for a kernel of the table.
inline Tensor zip(const char* op, const Tensor& a, const Tensor& b, simd::Kernels::Binary kernel) {
  require_defined(op, a, b);
  Tensor y = Tensor::empty(a.shape() == b.shape() ? a.shape() : broadcast_shapes(op, a.shape(), b.shape()));
  if (y.size() == 0) return y;
  const std::array operands{&a, &b};
  BroadcastPlan<2>(y.shape(), operands)
      .for_each_slab(operands, [&](Index rows, Index columns, const std::array<simd::Operand, 2>& at, Index first) {
        kernel(rows, columns, at[0], at[1], y.data() + first);
      });
  return y;
}

}  // namespace rill::detail
