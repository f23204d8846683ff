// Matrix products: three loops in principle, one packed and tiled kernel in practice (autodiff/simd/).
#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/operation_count.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill {
namespace {

// Multiply-adds that justify a second thread.
constexpr Index kWorthAThread = 1 << 20;
constexpr Index kSmallestShare = 128;

// Rows or columns per piece, as even as possible: a narrow last piece would be computed, and rounded, in another way.
// Two pieces for each thread, so that a delayed thread delays the result less.
Index share(Index size) {
  const Index shares = std::clamp<Index>(size / kSmallestShare, 1, std::min(64, 2 * thread_count()));
  return (size + shares - 1) / shares;
}

void gemm_piece(const simd::Gemm& g) {
  Tensor workspace = Tensor::empty({simd::kernels().gemm_workspace(g)});
  simd::kernels().gemm(g, workspace.data());
}

// Threads divide the rows of C, or its columns if it is wider than high. Each element is computed by one thread, in the
// same order for any number of threads. finish(begin, end) is called on finished rows while they are in cache.
template <class Finish>
void gemm(const simd::Gemm& g, const Finish& finish) {
  count_operations(2 * g.m * g.n * g.k);
  const auto piece = [&](Index begin, Index end) {
    const auto shifted = [&](Index piece_begin, Index piece_end) { finish(begin + piece_begin, begin + piece_end); };
    simd::Gemm rows = g;
    rows.m = end - begin;
    rows.a += begin * (g.transpose_a ? 1 : g.lda);
    rows.c += begin * g.ldc;
    rows.context = &shifted;
    rows.finish = [](const void* context, Index piece_begin, Index piece_end) noexcept {
      (*static_cast<const decltype(shifted)*>(context))(piece_begin, piece_end);
    };
    gemm_piece(rows);
  };
  if (thread_count() == 1 || g.m * g.n * g.k <= kWorthAThread) return piece(0, g.m);
  if (g.m >= g.n) return parallel_for(g.m, share(g.m), piece);
  parallel_for(g.n, share(g.n), [&g](Index begin, Index end) {
    simd::Gemm columns = g;
    columns.n = end - begin;
    columns.b += begin * (g.transpose_b ? g.ldb : 1);
    columns.c += begin;
    if (g.bias) columns.bias += begin;
    gemm_piece(columns);
  });
  parallel_for(g.m, share(g.m), finish);
}

Shape leading_axes(const Shape& shape) {
  return Shape(std::span(shape.begin(), static_cast<std::size_t>(shape.rank() - 2)));
}

}  // namespace

// C = op(A) op(B):   gA = gC op(B)^T,   gB = op(A)^T gC;   the gradient of a transposed operand is transposed.
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
          .ldc = n},
         [](Index, Index) {});
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

namespace {

// x w^T + bias, outside the graph.
template <class Finish>
void linear_product(const Tensor& x, const Tensor& w, const Tensor& bias, Tensor& y, const Finish& finish) {
  gemm({.transpose_a = false,
        .transpose_b = true,
        .m = x.dim(0),
        .n = w.dim(0),
        .k = x.dim(1),
        .a = x.data(),
        .lda = x.dim(1),
        .b = w.data(),
        .ldb = x.dim(1),
        .bias = bias.defined() ? bias.data() : nullptr,
        .accumulate = false,
        .c = y.data(),
        .ldc = w.dim(0)},
       finish);
}

Tensor empty_output(const Tensor& x, const Tensor& w, const Tensor& bias) {
  require(x.rank() == 2 && w.rank() == 2 && x.dim(1) == w.dim(1), "linear: expected x [N, In] and w [Out, In], got ",
          x.shape(), " and ", w.shape());
  require(!bias.defined() || bias.shape() == Shape{w.dim(0)}, "linear: bias of shape ", bias.shape(), " for ", w.dim(0),
          " outputs");
  return Tensor::empty({x.dim(0), w.dim(0)});
}

// y = x w^T + bias:   gx = gy w,   gw = gy^T x,   gbias = sum_n gy
Tensor record_linear(const Tensor& x, const Tensor& w, const Tensor& bias, const Tensor& y) {
  return record("linear", y, wrt(x, [w](const Tensor& gy) { return matmul(gy, w); }),
                wrt(w, [x](const Tensor& gy) { return matmul(gy, x, {.a = true}); }),
                wrt(bias, [](const Tensor& gy) { return sum(gy, {.axes = {0}}); }));
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& w, const Tensor& bias) {
  Tensor y = empty_output(x, w, bias);
  linear_product(x, w, bias, y, [](Index, Index) {});
  return record_linear(x, w, bias, y);
}

// y = f(z), z = x w^T + bias:   gz = gy f'(z)
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& bias, const Activation& f) {
  Tensor y = empty_output(x, w, bias), slope;
  const bool recorded = grad_enabled() && (x.requires_grad() || w.requires_grad() || bias.requires_grad());
  if (recorded && !f.gradient) slope = Tensor::empty(y.shape());
  linear_product(x, w, bias, y, [&](Index begin, Index end) {
    const Index columns = y.dim(1), n = (end - begin) * columns;
    Real* rows = y.data() + begin * columns;
    slope.defined() ? f.forward_with_slope(n, rows, rows, slope.data() + begin * columns) : f.forward(n, rows, rows);
  });
  // The gradients of the product do not need its output, so y can stand in for the z that it overwrote.
  const Tensor z = record_linear(x, w, bias, y);
  return record(f.name, y, wrt(z, [x, w, bias, slope, f](const Tensor& gy, const Tensor& output) {
                  if (grad_enabled()) return f.apply_gradient(gy, linear(x, w, bias));  // to be differentiated again
                  return slope.defined() ? gy * slope : detail::map(f.name, gy, output, f.gradient);
                }));
}

}  // namespace rill
