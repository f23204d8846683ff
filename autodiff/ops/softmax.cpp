// Softmax, log-softmax and log-sum-exp over the last axis, safe from overflow.
#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"

namespace rill {
namespace {

// Calls a row kernel on blocks of rows of x; y has `y_columns` numbers per row.
void map_rows(const char* op, const Tensor& x, simd::Kernels::Rows kernel, Index y_columns, Tensor& y) {
  require(x.rank() >= 1 && x.dim(-1) > 0, op, ": expected a last axis with at least one element, got shape ",
          x.shape());
  const Index columns = x.dim(-1);
  parallel_for(x.size() / columns, std::max<Index>(1, detail::kElementGrain / columns), [&](Index begin, Index end) {
    kernel(end - begin, columns, x.data() + begin * columns, y.data() + begin * y_columns);
  });
}

}  // namespace

// dy_i/dx_j = y_i (d_ij - y_j),   hence   gx = y (gy - sum_c y gy)
Tensor softmax(const Tensor& x) {
  Tensor y = Tensor::empty(x.shape());
  map_rows("softmax", x, simd::kernels().softmax, x.rank() > 0 ? x.dim(-1) : 1, y);
  return record("softmax", y, wrt(x, [](const Tensor& gy, const Tensor& out) {
                  return out * (gy - sum(out * gy, {.axes = {-1}, .keep = true}));
                }));
}

// dy_i/dx_j = d_ij - softmax_j,   hence   gx = gy - e^y sum_c gy
Tensor log_softmax(const Tensor& x) {
  Tensor y = Tensor::empty(x.shape());
  map_rows("log_softmax", x, simd::kernels().log_softmax, x.rank() > 0 ? x.dim(-1) : 1, y);
  return record("log_softmax", y, wrt(x, [](const Tensor& gy, const Tensor& out) {
                  return gy - exp(out) * sum(gy, {.axes = {-1}, .keep = true});
                }));
}

// dy/dx_j = softmax_j
Tensor logsumexp(const Tensor& x) {
  Shape shape, kept = x.shape();
  for (int axis = 0; axis + 1 < x.rank(); ++axis) shape.push_back(x.shape()[axis]);
  if (x.rank() > 0) kept[x.rank() - 1] = 1;
  Tensor y = Tensor::empty(shape);
  map_rows("logsumexp", x, simd::kernels().logsumexp, 1, y);
  return record("logsumexp", y, wrt(x, [x, kept](const Tensor& gy) { return reshape(gy, kept) * softmax(x); }));
}

}  // namespace rill
