// Arithmetic and comparisons, with broadcasting: each gradient is summed back to its input's shape.
#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"

namespace rill {

using detail::map;
using detail::zip;
using simd::kernels;

Tensor operator+(const Tensor& a, const Tensor& b) {
  return record("add", zip("add", a, b, kernels().add),
                wrt(a, [s = a.shape()](const Tensor& gy) { return unbroadcast(gy, s); }),
                wrt(b, [s = b.shape()](const Tensor& gy) { return unbroadcast(gy, s); }));
}

Tensor operator-(const Tensor& a, const Tensor& b) {
  return record("subtract", zip("subtract", a, b, kernels().subtract),
                wrt(a, [s = a.shape()](const Tensor& gy) { return unbroadcast(gy, s); }),
                wrt(b, [s = b.shape()](const Tensor& gy) { return -unbroadcast(gy, s); }));
}

Tensor operator*(const Tensor& a, const Tensor& b) {
  return record("multiply", zip("multiply", a, b, kernels().multiply),
                wrt(a, [b, s = a.shape()](const Tensor& gy) { return unbroadcast(gy * b, s); }),
                wrt(b, [a, s = b.shape()](const Tensor& gy) { return unbroadcast(gy * a, s); }));
}

// y = a / b,   dy = (da - y db) / b
Tensor operator/(const Tensor& a, const Tensor& b) {
  return record("divide", zip("divide", a, b, kernels().divide),
                wrt(a, [b, s = a.shape()](const Tensor& gy) { return unbroadcast(gy / b, s); }),
                wrt(b, [b](const Tensor& gy, const Tensor& y) { return unbroadcast(-(gy * y / b), b.shape()); }));
}

Tensor operator/(double c, const Tensor& x) { return Tensor::scalar(c) / x; }

Tensor operator-(const Tensor& x) { return affine(x, -1, 0); }

Tensor affine(const Tensor& x, double scale, double shift) {
  const Tensor y = map(x, [&](Index n, const Real* in, Real* out) {
    kernels().affine(n, in, static_cast<Real>(scale), static_cast<Real>(shift), out);
  });
  return record("affine", y, wrt(x, [scale](const Tensor& gy) { return affine(gy, scale, 0); }));
}

namespace {
// The share of the gradient that goes to a when the lesser of a and b was chosen: 1, 0, or 1/2 when they are equal.
Tensor share_of_lesser(const Tensor& a, const Tensor& b) { return less(a, b) + 0.5 * equal(a, b); }
}  // namespace

Tensor minimum(const Tensor& a, const Tensor& b) {
  return record("minimum", zip("minimum", a, b, kernels().minimum),
                wrt(a, [a, b](const Tensor& gy) { return unbroadcast(gy * share_of_lesser(a, b), a.shape()); }),
                wrt(b, [a, b](const Tensor& gy) { return unbroadcast(gy * share_of_lesser(b, a), b.shape()); }));
}

Tensor maximum(const Tensor& a, const Tensor& b) {
  return record("maximum", zip("maximum", a, b, kernels().maximum),
                wrt(a, [a, b](const Tensor& gy) { return unbroadcast(gy * share_of_lesser(b, a), a.shape()); }),
                wrt(b, [a, b](const Tensor& gy) { return unbroadcast(gy * share_of_lesser(a, b), b.shape()); }));
}

namespace {
// gx = low <= x <= high ? gy : 0, which is linear in gy and flat in x.
Tensor clamp_gradient(const Tensor& gy, const Tensor& x, Real low, Real high) {
  const Tensor gx = map(gy, x, [&](Index n, const Real* g, const Real* v, Real* out) {
    kernels().clamp_gradient(n, g, v, low, high, out);
  });
  return record("clamp_gradient", gx,
                wrt(gy, [x, low, high](const Tensor& ggx) { return clamp_gradient(ggx, x, low, high); }));
}
}  // namespace

Tensor clamp(const Tensor& x, double low, double high) {
  require(low <= high, "clamp: low ", low, " is above high ", high);
  const Real a = static_cast<Real>(low), b = static_cast<Real>(high);
  const Tensor y = map(x, [&](Index n, const Real* in, Real* out) { kernels().clamp(n, in, a, b, out); });
  return record("clamp", y, wrt(x, [x, a, b](const Tensor& gy) { return clamp_gradient(gy, x, a, b); }));
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  const Shape shape = broadcast_shapes("where", condition.shape(), broadcast_shapes("where", a.shape(), b.shape()));
  Tensor y = Tensor::empty(shape);
  const std::array operands{&condition, &a, &b};
  if (y.size() > 0) {
    detail::BroadcastPlan<3>(shape, operands)
        .for_each_slab(operands, [&](Index rows, Index columns, const std::array<simd::Operand, 3>& at, Index first) {
          kernels().select(rows, columns, at[0], at[1], at[2], y.data() + first);
        });
  }
  const Tensor c = condition.detach();
  return record(
      "where", y,
      wrt(a, [c, s = a.shape()](const Tensor& gy) { return unbroadcast(where(c, gy, Tensor::scalar(0)), s); }),
      wrt(b, [c, s = b.shape()](const Tensor& gy) { return unbroadcast(where(c, Tensor::scalar(0), gy), s); }));
}

Tensor less(const Tensor& a, const Tensor& b) { return zip("less", a, b, kernels().less); }
Tensor less_equal(const Tensor& a, const Tensor& b) { return zip("less_equal", a, b, kernels().less_equal); }
Tensor equal(const Tensor& a, const Tensor& b) { return zip("equal", a, b, kernels().equal); }

}  // namespace rill
