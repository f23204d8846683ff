// Activations. The gradient gx = gy f'(x) is one fused kernel, an op of its own: it is linear in gy, so its gradient
// for gy is itself, applied to what arrives; its gradient for x (or y) is written out with f''.
#include <cmath>
#include <numbers>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"

namespace rill {

using detail::map;
using simd::kernels;

// tanh' = 1 - y^2
static Tensor tanh_gradient(const Tensor& gy, const Tensor& y) {
  return record("tanh_gradient", map(gy, y, kernels().tanh_gradient),
                wrt(gy, [y](const Tensor& ggx) { return tanh_gradient(ggx, y); }),
                wrt(y, [gy, y](const Tensor& ggx) { return -2 * (ggx * gy * y); }));
}
Tensor tanh(const Tensor& x) {
  return record("tanh", map(x, kernels().tanh),
                wrt(x, [](const Tensor& gy, const Tensor& y) { return tanh_gradient(gy, y); }));
}

// sigmoid' = y (1 - y)
static Tensor sigmoid_gradient(const Tensor& gy, const Tensor& y) {
  return record("sigmoid_gradient", map(gy, y, kernels().sigmoid_gradient),
                wrt(gy, [y](const Tensor& ggx) { return sigmoid_gradient(ggx, y); }),
                wrt(y, [gy, y](const Tensor& ggx) { return ggx * gy * (1 - 2 * y); }));
}
Tensor sigmoid(const Tensor& x) {
  return record("sigmoid", map(x, kernels().sigmoid),
                wrt(x, [](const Tensor& gy, const Tensor& y) { return sigmoid_gradient(gy, y); }));
}

static Tensor relu_gradient(const Tensor& gy, const Tensor& x) {
  return record("relu_gradient", map(gy, x, kernels().relu_gradient),
                wrt(gy, [x](const Tensor& ggx) { return relu_gradient(ggx, x); }));
}
Tensor relu(const Tensor& x) {
  return record("relu", map(x, kernels().relu), wrt(x, [x](const Tensor& gy) { return relu_gradient(gy, x); }));
}

static Tensor leaky_relu_gradient(const Tensor& gy, const Tensor& x, Real slope) {
  const Tensor gx = map(gy, x, [slope](Index n, const Real* g, const Real* v, Real* out) {
    kernels().leaky_relu_gradient(n, g, v, slope, out);
  });
  return record("leaky_relu_gradient", gx,
                wrt(gy, [x, slope](const Tensor& ggx) { return leaky_relu_gradient(ggx, x, slope); }));
}
Tensor leaky_relu(const Tensor& x, double slope) {
  const Real a = static_cast<Real>(slope);
  const Tensor y = map(x, [a](Index n, const Real* in, Real* out) { kernels().leaky_relu(n, in, a, out); });
  return record("leaky_relu", y, wrt(x, [x, a](const Tensor& gy) { return leaky_relu_gradient(gy, x, a); }));
}

// y = scale (x > 0 ? x : alpha (e^x - 1)):   y' = y > 0 ? scale : y + scale alpha,   dy'/dy = y > 0 ? 0 : 1
static Tensor elu_gradient(const Tensor& gy, const Tensor& y, Real alpha, Real scale) {
  const Tensor gx = map(gy, y, [=](Index n, const Real* g, const Real* v, Real* out) {
    kernels().elu_gradient(n, g, v, alpha, scale, out);
  });
  return record("elu_gradient", gx, wrt(gy, [=](const Tensor& ggx) { return elu_gradient(ggx, y, alpha, scale); }),
                wrt(y, [gy, y](const Tensor& ggx) { return ggx * gy * less_equal(y, Tensor::scalar(0)); }));
}
static Tensor scaled_elu(const Tensor& x, Real alpha, Real scale) {
  const Tensor y = map(x, [=](Index n, const Real* in, Real* out) { kernels().elu(n, in, alpha, scale, out); });
  return record("elu", y,
                wrt(x, [=](const Tensor& gy, const Tensor& out) { return elu_gradient(gy, out, alpha, scale); }));
}
Tensor elu(const Tensor& x, double alpha) {
  require(alpha > 0, "elu: expected alpha > 0, got ", alpha);
  return scaled_elu(x, static_cast<Real>(alpha), 1);
}
Tensor selu(const Tensor& x) {
  // The constants keep mean 0 and variance 1 fixed under the map: Klambauer et al. 2017, equation 14.
  return scaled_elu(x, static_cast<Real>(1.6732632423543772848), static_cast<Real>(1.0507009873554804934));
}

// gelu' = Phi(x) + x phi(x),   gelu'' = phi(x) (2 - x^2)
static Tensor gelu_gradient(const Tensor& gy, const Tensor& x) {
  return record("gelu_gradient", map(gy, x, kernels().gelu_gradient),
                wrt(gy, [x](const Tensor& ggx) { return gelu_gradient(ggx, x); }), wrt(x, [gy, x](const Tensor& ggx) {
                  const double peak = std::numbers::inv_sqrtpi / std::numbers::sqrt2;  // phi(0)
                  const Tensor x2 = square(x);
                  return ggx * gy * (peak * exp(-0.5 * x2) * (2 - x2));
                }));
}
Tensor gelu(const Tensor& x) {
  return record("gelu", map(x, kernels().gelu), wrt(x, [x](const Tensor& gy) { return gelu_gradient(gy, x); }));
}

// silu' = s (1 + x (1 - s)),   silu'' = s (1 - s) (2 + x (1 - 2 s)),   s = sigmoid(x)
static Tensor silu_gradient(const Tensor& gy, const Tensor& x) {
  return record("silu_gradient", map(gy, x, kernels().silu_gradient),
                wrt(gy, [x](const Tensor& ggx) { return silu_gradient(ggx, x); }), wrt(x, [gy, x](const Tensor& ggx) {
                  const Tensor s = sigmoid(x);
                  return ggx * gy * (s * (1 - s) * (2 + x * (1 - 2 * s)));
                }));
}
Tensor silu(const Tensor& x) {
  return record("silu", map(x, kernels().silu), wrt(x, [x](const Tensor& gy) { return silu_gradient(gy, x); }));
}

// softplus' = s,   softplus'' = s (1 - s),   s = sigmoid(x)
static Tensor softplus_gradient(const Tensor& gy, const Tensor& x) {
  return record("softplus_gradient", map(gy, x, kernels().softplus_gradient),
                wrt(gy, [x](const Tensor& ggx) { return softplus_gradient(ggx, x); }),
                wrt(x, [gy, x](const Tensor& ggx) { return sigmoid_gradient(ggx * gy, sigmoid(x)); }));
}
Tensor softplus(const Tensor& x) {
  return record("softplus", map(x, kernels().softplus),
                wrt(x, [x](const Tensor& gy) { return softplus_gradient(gy, x); }));
}

}  // namespace rill
