// Elementary functions, each with its derivative.
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"

namespace rill {

using detail::map;
using simd::kernels;

Tensor exp(const Tensor& x) {
  return record("exp", map("exp", x, kernels().exp), wrt(x, [](const Tensor& gy, const Tensor& y) { return gy * y; }));
}

Tensor log(const Tensor& x) {
  return record("log", map("log", x, kernels().log), wrt(x, [x](const Tensor& gy) { return gy / x; }));
}

Tensor sqrt(const Tensor& x) {
  return record("sqrt", map("sqrt", x, kernels().sqrt),
                wrt(x, [](const Tensor& gy, const Tensor& y) { return 0.5 * gy / y; }));
}

Tensor square(const Tensor& x) {
  return record("square", map("square", x, kernels().square), wrt(x, [x](const Tensor& gy) { return 2 * gy * x; }));
}

Tensor pow(const Tensor& x, double p) {
  const Tensor y =
      map("pow", x, [p](Index n, const Real* in, Real* out) { kernels().pow(n, in, static_cast<Real>(p), out); });
  return record("pow", y, wrt(x, [x, p](const Tensor& gy) {
                  if (p == 0) return Tensor::zeros(x.shape());  // 0 x^-1 would be NaN at 0
                  return p * gy * pow(x, p - 1);
                }));
}

Tensor sin(const Tensor& x) {
  return record("sin", map("sin", x, kernels().sin), wrt(x, [x](const Tensor& gy) { return gy * cos(x); }));
}

Tensor cos(const Tensor& x) {
  return record("cos", map("cos", x, kernels().cos), wrt(x, [x](const Tensor& gy) { return -(gy * sin(x)); }));
}

Tensor abs(const Tensor& x) {
  return record("abs", map("abs", x, kernels().abs), wrt(x, [x](const Tensor& gy) { return gy * sign(x); }));
}

Tensor sign(const Tensor& x) { return map("sign", x, kernels().sign); }

}  // namespace rill
