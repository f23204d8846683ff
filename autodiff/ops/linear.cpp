// Matrix products: three loops in spirit, one packed and tiled kernel in fact (autodiff/simd/).
#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/operation_count.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill {
namespace {

// Multiply-adds that are worth a second thread, and the fewest rows or columns that are worth a share of their own.
constexpr Index kWorthAThread = 1 << 20;
constexpr Index kSmallestShare = 96;

// Rows or columns per thread, as even as can be: a narrow last share would be computed another way, and round
// otherwise.
Index share(Index size) {
  const Index shares = std::clamp<Index>(size / kSmallestShare, 1, thread_count());
  return (size + shares - 1) / shares;
}

void gemm_piece(const simd::Gemm& g) {
  Tensor workspace = Tensor::empty({simd::kernels().gemm_workspace(g)});
  simd::kernels().gemm(g, workspace.data());
}

// Threads share out the rows of C, or its columns when it is wider than high. Every element is computed by one thread
// in the same order, whatever their number.
void gemm(const simd::Gemm& g) {
  count_operations(2 * g.m * g.n * g.k);
  if (thread_count() == 1 || g.m * g.n * g.k <= kWorthAThread) return gemm_piece(g);
  if (g.m >= g.n) {
    parallel_for(g.m, share(g.m), [&g](Index begin, Index end) {
      simd::Gemm piece = g;
      piece.m = end - begin;
      piece.a += begin * (g.transpose_a ? 1 : g.lda);
      piece.c += begin * g.ldc;
      gemm_piece(piece);
    });
  } else {
    parallel_for(g.n, share(g.n), [&g](Index begin, Index end) {
      simd::Gemm piece = g;
      piece.n = end - begin;
      piece.b += begin * (g.transpose_b ? g.ldb : 1);
      piece.c += begin;
      if (g.bias) piece.bias += begin;
      gemm_piece(piece);
    });
  }
}

Shape leading_axes(const Shape& shape) {
  return Shape(std::span(shape.begin(), static_cast<std::size_t>(shape.rank() - 2)));
}

}  // namespace

// C = op(A) op(B):   gA = gC op(B)^T,   gB = op(A)^T gC;   where an operand was transposed, so is its gradient.
Tensor matmul(const Tensor& a, const Tensor& b, Transpose transpose) {
  require(a.rank() >= 2 && b.rank() >= 2, "matmul: expected at least two axes each, got ", a.shape(), " x ", b.shape());
  const Shape batch = leading_axes(a.shape());
  require(batch == leading_axes(b.shape()), "matmul: ", a.shape(), " x ", b.shape(), ": leading axes differ");
  const Index m = a.dim(transpose.a ? -1 : -2), k = a.dim(transpose.a ? -2 : -1);
  const Index k_b = b.dim(transpose.b ? -1 : -2), n = b.dim(transpose.b ? -2 : -1);
  require(k == k_b, "matmul: ", a.shape(), transpose.a ? "^T" : "", " x ", b.shape(), transpose.b ? "^T" : "",
          ": inner dimensions ", k, " and ", k_b, " differ");

  Shape shape = batch;
  shape.push_back(m);
  shape.push_back(n);
  Tensor c = Tensor::empty(shape);
  for (Index i = 0; i < batch.size(); ++i) {
    gemm({.transpose_a = transpose.a,
          .transpose_b = transpose.b,
          .m = m,
          .n = n,
          .k = k,
          .a = a.data() + i * m * k,
          .lda = a.dim(-1),
          .b = b.data() + i * k * n,
          .ldb = b.dim(-1),
          .bias = nullptr,
          .accumulate = false,
          .c = c.data() + i * m * n,
          .ldc = n});
  }
  return record("matmul", c,
                wrt(a,
                    [b, t = transpose](const Tensor& gc) {
                      return t.a ? matmul(b, gc, {t.b, true}) : matmul(gc, b, {false, !t.b});
                    }),
                wrt(b, [a, t = transpose](const Tensor& gc) {
                  return t.b ? matmul(gc, a, {true, t.a}) : matmul(a, gc, {!t.a, false});
                }));
}

// y = x w^T + bias:   gx = gy w,   gw = gy^T x,   gbias = sum_n gy
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& bias) {
  require(x.rank() == 2 && w.rank() == 2 && x.dim(1) == w.dim(1), "linear: expected x [N, In] and w [Out, In], got ",
          x.shape(), " and ", w.shape());
  const Index rows = x.dim(0), in = x.dim(1), out = w.dim(0);
  require(!bias.defined() || bias.shape() == Shape{out}, "linear: bias of shape ", bias.shape(), " for ", out,
          " outputs");
  Tensor y = Tensor::empty({rows, out});
  gemm({.transpose_a = false,
        .transpose_b = true,
        .m = rows,
        .n = out,
        .k = in,
        .a = x.data(),
        .lda = in,
        .b = w.data(),
        .ldb = in,
        .bias = bias.defined() ? bias.data() : nullptr,
        .accumulate = false,
        .c = y.data(),
        .ldc = out});
  return record("linear", y, wrt(x, [w](const Tensor& gy) { return matmul(gy, w); }),
                wrt(w, [x](const Tensor& gy) { return matmul(gy, x, {.a = true}); }),
                wrt(bias, [](const Tensor& gy) { return sum(gy, {.axes = {0}}); }));
}

}  // namespace rill
