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

Tensor operator/(const Tensor& x, double c) { return x / Tensor::scalar(c); }

Tensor operator-(const Tensor& x) { return affine(x, -1, -0.0); }

Tensor affine(const Tensor& x, double scale, double shift) {
  const Tensor y = map("affine", x, [&](Index n, const Real* in, Real* out) {
    kernels().affine(n, in, static_cast<Real>(scale), static_cast<Real>(shift), out);
  });
  return record("affine", y, wrt(x, [scale](const Tensor& gy) { return gy * scale; }));
}

namespace {
// The part of gy that goes to a in minimum(a, b): all, none, or half where they are equal. Chosen by where(), since a
// product with 0 would be NaN where gy is infinite.
Tensor part_of_lesser(const Tensor& gy, const Tensor& a, const Tensor& b) {
  return where(less(a, b), gy, where(equal(a, b), 0.5 * gy, Tensor::scalar(0)));
}
}  // namespace

Tensor minimum(const Tensor& a, const Tensor& b) {
  return record("minimum", zip("minimum", a, b, kernels().minimum),
                wrt(a, [a, b](const Tensor& gy) { return unbroadcast(part_of_lesser(gy, a, b), a.shape()); }),
                wrt(b, [a, b](const Tensor& gy) { return unbroadcast(part_of_lesser(gy, b, a), b.shape()); }));
}

Tensor maximum(const Tensor& a, const Tensor& b) {
  return record("maximum", zip("maximum", a, b, kernels().maximum),
                wrt(a, [a, b](const Tensor& gy) { return unbroadcast(part_of_lesser(gy, b, a), a.shape()); }),
                wrt(b, [a, b](const Tensor& gy) { return unbroadcast(part_of_lesser(gy, a, b), b.shape()); }));
}

namespace {
// gx = low <= x <= high ? gy : 0, which is linear in gy and has no gradient for x.
Tensor clamp_gradient(const Tensor& gy, const Tensor& x, Real low, Real high) {
  const Tensor gx = map("clamp_gradient", gy, x, [&](Index n, const Real* g, const Real* v, Real* out) {
    kernels().clamp_gradient(n, g, v, low, high, out);
  });
  return record("clamp_gradient", gx,
                wrt(gy, [x, low, high](const Tensor& ggx) { return clamp_gradient(ggx, x, low, high); }));
}
}  // namespace

Tensor clamp(const Tensor& x, double low, double high) {
  require(low <= high, "clamp: low ", low, " is above high ", high);
  const Real a = static_cast<Real>(low), b = static_cast<Real>(high);
  const Tensor y = map("clamp", x, [&](Index n, const Real* in, Real* out) { kernels().clamp(n, in, a, b, out); });
  return record("clamp", y, wrt(x, [x, a, b](const Tensor& gy) { return clamp_gradient(gy, x, a, b); }));
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  detail::require_defined("where", condition, a, b);
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
