// Activations. The gradient gx = gy f'(x) is an op of its own, with one fused kernel. It is linear in gy, so its
// gradient for gy is the same op, applied to the incoming gradient; its gradient for x (or y) is written out with f''.
#include <cmath>
#include <numbers>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/elementwise.hpp"

namespace rill {

using detail::map;
using simd::kernels;

// With these constants, mean 0 and variance 1 are a fixed point of the map: Klambauer et al. 2017, equation 14.
constexpr Real kSeluAlpha = static_cast<Real>(1.6732632423543772848);
constexpr Real kSeluScale = static_cast<Real>(1.0507009873554804934);
constexpr Real kLeakySlope = static_cast<Real>(0.01);

// tanh' = 1 - y^2
static Tensor tanh_gradient(const Tensor& gy, const Tensor& y) {
  return record("tanh_gradient", map("tanh_gradient", gy, y, kernels().tanh_gradient),
                wrt(gy, [y](const Tensor& ggx) { return tanh_gradient(ggx, y); }),
                wrt(y, [gy, y](const Tensor& ggx) { return -2 * (ggx * gy * y); }));
}
Tensor tanh(const Tensor& x) {
  return record("tanh", map("tanh", x, kernels().tanh),
                wrt(x, [](const Tensor& gy, const Tensor& y) { return tanh_gradient(gy, y); }));
}

// sigmoid' = y (1 - y)
static Tensor sigmoid_gradient(const Tensor& gy, const Tensor& y) {
  return record("sigmoid_gradient", map("sigmoid_gradient", gy, y, kernels().sigmoid_gradient),
                wrt(gy, [y](const Tensor& ggx) { return sigmoid_gradient(ggx, y); }),
                wrt(y, [gy, y](const Tensor& ggx) { return ggx * gy * (1 - 2 * y); }));
}
Tensor sigmoid(const Tensor& x) {
  return record("sigmoid", map("sigmoid", x, kernels().sigmoid),
                wrt(x, [](const Tensor& gy, const Tensor& y) { return sigmoid_gradient(gy, y); }));
}

static Tensor relu_gradient(const Tensor& gy, const Tensor& x) {
  return record("relu_gradient", map("relu_gradient", gy, x, kernels().relu_gradient),
                wrt(gy, [x](const Tensor& ggx) { return relu_gradient(ggx, x); }));
}
Tensor relu(const Tensor& x) {
  return record("relu", map("relu", x, kernels().relu), wrt(x, [x](const Tensor& gy) { return relu_gradient(gy, x); }));
}

static Tensor leaky_relu_gradient(const Tensor& gy, const Tensor& x, Real slope) {
  const Tensor gx = map("leaky_relu_gradient", gy, x, [slope](Index n, const Real* g, const Real* v, Real* out) {
    kernels().leaky_relu_gradient(n, g, v, slope, out);
  });
  return record("leaky_relu_gradient", gx,
                wrt(gy, [x, slope](const Tensor& ggx) { return leaky_relu_gradient(ggx, x, slope); }));
}
Tensor leaky_relu(const Tensor& x, double slope) {
  const Real a = static_cast<Real>(slope);
  const Tensor y =
      map("leaky_relu", x, [a](Index n, const Real* in, Real* out) { kernels().leaky_relu(n, in, a, out); });
  return record("leaky_relu", y, wrt(x, [x, a](const Tensor& gy) { return leaky_relu_gradient(gy, x, a); }));
}

// y = scale (x > 0 ? x : alpha (e^x - 1)):   y' = y > 0 ? scale : y + scale alpha,   dy'/dy = y > 0 ? 0 : 1
static Tensor elu_gradient(const Tensor& gy, const Tensor& y, Real alpha, Real scale) {
  const Tensor gx = map("elu_gradient", gy, y, [=](Index n, const Real* g, const Real* v, Real* out) {
    kernels().elu_gradient(n, g, v, alpha, scale, out);
  });
  return record("elu_gradient", gx, wrt(gy, [=](const Tensor& ggx) { return elu_gradient(ggx, y, alpha, scale); }),
                wrt(y, [gy, y](const Tensor& ggx) {
                  const Tensor zero = Tensor::scalar(0);
                  return where(less_equal(y, zero), ggx * gy, zero);
                }));
}
static Tensor scaled_elu(const char* op, const Tensor& x, Real alpha, Real scale) {
  const Tensor y = map(op, x, [=](Index n, const Real* in, Real* out) { kernels().elu(n, in, alpha, scale, out); });
  return record(op, y,
                wrt(x, [=](const Tensor& gy, const Tensor& out) { return elu_gradient(gy, out, alpha, scale); }));
}
Tensor elu(const Tensor& x, double alpha) {
  require(alpha > 0 && std::isfinite(alpha), "elu: expected a number alpha > 0, got ", alpha);
  return scaled_elu("elu", x, static_cast<Real>(alpha), 1);
}
Tensor selu(const Tensor& x) { return scaled_elu("selu", x, kSeluAlpha, kSeluScale); }

// Beyond these arguments the second derivatives below underflow to 0 while their polynomial factors keep growing, so x
// is clamped: no factor becomes infinite and is multiplied by 0.
constexpr double kGeluIsFlat = 40, kSiluIsFlat = 800;

// gelu' = Phi(x) + x phi(x),   gelu'' = phi(x) (2 - x^2)
static Tensor gelu_gradient(const Tensor& gy, const Tensor& x) {
  return record("gelu_gradient", map("gelu_gradient", gy, x, kernels().gelu_gradient),
                wrt(gy, [x](const Tensor& ggx) { return gelu_gradient(ggx, x); }), wrt(x, [gy, x](const Tensor& ggx) {
                  const double peak = std::numbers::inv_sqrtpi / std::numbers::sqrt2;  // phi(0)
                  const Tensor x2 = square(clamp(x, -kGeluIsFlat, kGeluIsFlat));
                  return ggx * gy * (peak * exp(-0.5 * x2) * (2 - x2));
                }));
}

// With s = sigmoid(a), a = k (x + c x^3): y = x s, as (1 + tanh(a / 2)) / 2 = s,
//   y' = s + x s (1 - s) a',   y'' = s (1 - s) (2 a' + x ((1 - 2 s) a'^2 + a''))
static Tensor gelu_tanh_gradient(const Tensor& gy, const Tensor& x) {
  return record("gelu_tanh_gradient", map("gelu_tanh_gradient", gy, x, kernels().gelu_tanh_gradient),
                wrt(gy, [x](const Tensor& ggx) { return gelu_tanh_gradient(ggx, x); }),
                wrt(x, [gy, x](const Tensor& ggx) {
                  const double k = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi, c = 0.044715;
                  const Tensor v = clamp(x, -kGeluIsFlat, kGeluIsFlat), v2 = square(v);
                  const Tensor a = k * v * (1 + c * v2), a1 = k * (1 + 3 * c * v2), a2 = 6 * c * k * v;
                  const Tensor s = sigmoid(a), one_minus_s = sigmoid(-a);  // 1 - s would lose digits
                  return ggx * gy * (s * one_minus_s * (2 * a1 + v * ((1 - 2 * s) * square(a1) + a2)));
                }));
}
Tensor gelu(const Tensor& x, Approximate approximate) {
  if (approximate.tanh) {
    return record("gelu_tanh", map("gelu_tanh", x, kernels().gelu_tanh),
                  wrt(x, [x](const Tensor& gy) { return gelu_tanh_gradient(gy, x); }));
  }
  return record("gelu", map("gelu", x, kernels().gelu), wrt(x, [x](const Tensor& gy) { return gelu_gradient(gy, x); }));
}

// silu' = s (1 + x (1 - s)),   silu'' = s (1 - s) (2 + x (1 - 2 s)),   s = sigmoid(x)
static Tensor silu_gradient(const Tensor& gy, const Tensor& x) {
  return record("silu_gradient", map("silu_gradient", gy, x, kernels().silu_gradient),
                wrt(gy, [x](const Tensor& ggx) { return silu_gradient(ggx, x); }), wrt(x, [gy, x](const Tensor& ggx) {
                  const Tensor v = clamp(x, -kSiluIsFlat, kSiluIsFlat), s = sigmoid(v);
                  return ggx * gy * (s * (1 - s) * (2 + v * (1 - 2 * s)));
                }));
}
Tensor silu(const Tensor& x) {
  return record("silu", map("silu", x, kernels().silu), wrt(x, [x](const Tensor& gy) { return silu_gradient(gy, x); }));
}

// softplus' = s,   softplus'' = s (1 - s),   s = sigmoid(x)
static Tensor softplus_gradient(const Tensor& gy, const Tensor& x) {
  return record("softplus_gradient", map("softplus_gradient", gy, x, kernels().softplus_gradient),
                wrt(gy, [x](const Tensor& ggx) { return softplus_gradient(ggx, x); }),
                wrt(x, [gy, x](const Tensor& ggx) { return sigmoid_gradient(ggx * gy, sigmoid(x)); }));
}
Tensor softplus(const Tensor& x) {
  return record("softplus", map("softplus", x, kernels().softplus),
                wrt(x, [x](const Tensor& gy) { return softplus_gradient(gy, x); }));
}

namespace {

// For the first ones the gradient follows from the output; for the last ones the slope is saved.
constexpr Activation kActivations[] = {
    {.name = "relu",
     .apply = relu,
     .apply_gradient = relu_gradient,
     .forward = [](Index n, const Real* x, Real* y) { kernels().relu(n, x, y); },
     .gradient = [](Index n, const Real* gy, const Real* y, Real* gx) { kernels().relu_gradient(n, gy, y, gx); },
     .forward_with_slope = nullptr,
     .gradient_at = [](Index n, const Real* gy, const Real* x, Real* gx) { kernels().relu_gradient(n, gy, x, gx); }},
    {.name = "leaky_relu",
     .apply = [](const Tensor& x) { return leaky_relu(x); },
     .apply_gradient = [](const Tensor& gy, const Tensor& x) { return leaky_relu_gradient(gy, x, kLeakySlope); },
     .forward = [](Index n, const Real* x, Real* y) { kernels().leaky_relu(n, x, kLeakySlope, y); },
     .gradient = [](Index n, const Real* gy, const Real* y,
                    Real* gx) { kernels().leaky_relu_gradient(n, gy, y, kLeakySlope, gx); },
     .forward_with_slope = nullptr,
     .gradient_at = [](Index n, const Real* gy, const Real* x,
                       Real* gx) { kernels().leaky_relu_gradient(n, gy, x, kLeakySlope, gx); }},
    {.name = "elu",
     .apply = [](const Tensor& x) { return elu(x); },
     .apply_gradient = [](const Tensor& gy, const Tensor& x) { return elu_gradient(gy, elu(x), 1, 1); },
     .forward = [](Index n, const Real* x, Real* y) { kernels().elu(n, x, 1, 1, y); },
     .gradient = [](Index n, const Real* gy, const Real* y, Real* gx) { kernels().elu_gradient(n, gy, y, 1, 1, gx); },
     .forward_with_slope = nullptr,
     .gradient_at =
         [](Index n, const Real* gy, const Real* x, Real* gx) {
           kernels().elu(n, x, 1, 1, gx);
           kernels().elu_gradient(n, gy, gx, 1, 1, gx);
         }},
    {.name = "selu",
     .apply = selu,
     .apply_gradient = [](const Tensor& gy,
                          const Tensor& x) { return elu_gradient(gy, selu(x), kSeluAlpha, kSeluScale); },
     .forward = [](Index n, const Real* x, Real* y) { kernels().elu(n, x, kSeluAlpha, kSeluScale, y); },
     .gradient = [](Index n, const Real* gy, const Real* y,
                    Real* gx) { kernels().elu_gradient(n, gy, y, kSeluAlpha, kSeluScale, gx); },
     .forward_with_slope = nullptr,
     .gradient_at =
         [](Index n, const Real* gy, const Real* x, Real* gx) {
           kernels().elu(n, x, kSeluAlpha, kSeluScale, gx);
           kernels().elu_gradient(n, gy, gx, kSeluAlpha, kSeluScale, gx);
         }},
    {.name = "tanh",
     .apply = tanh,
     .apply_gradient = [](const Tensor& gy, const Tensor& x) { return tanh_gradient(gy, tanh(x)); },
     .forward = [](Index n, const Real* x, Real* y) { kernels().tanh(n, x, y); },
     .gradient = [](Index n, const Real* gy, const Real* y, Real* gx) { kernels().tanh_gradient(n, gy, y, gx); },
     .forward_with_slope = nullptr,
     .gradient_at =
         [](Index n, const Real* gy, const Real* x, Real* gx) {
           kernels().tanh(n, x, gx);
           kernels().tanh_gradient(n, gy, gx, gx);
         }},
    {.name = "sigmoid",
     .apply = sigmoid,
     .apply_gradient = [](const Tensor& gy, const Tensor& x) { return sigmoid_gradient(gy, sigmoid(x)); },
     .forward = [](Index n, const Real* x, Real* y) { kernels().sigmoid(n, x, y); },
     .gradient = [](Index n, const Real* gy, const Real* y, Real* gx) { kernels().sigmoid_gradient(n, gy, y, gx); },
     .forward_with_slope = nullptr,
     .gradient_at =
         [](Index n, const Real* gy, const Real* x, Real* gx) {
           kernels().sigmoid(n, x, gx);
           kernels().sigmoid_gradient(n, gy, gx, gx);
         }},
    {.name = "softplus",
     .apply = softplus,
     .apply_gradient = softplus_gradient,
     .forward = [](Index n, const Real* x, Real* y) { kernels().softplus(n, x, y); },
     .gradient = nullptr,
     .forward_with_slope = [](Index n, const Real* x, Real* y,
                              Real* slope) { kernels().softplus_with_slope(n, x, y, slope); },
     .gradient_at = [](Index n, const Real* gy, const Real* x,
                       Real* gx) { kernels().softplus_gradient(n, gy, x, gx); }},
    {.name = "gelu",
     .apply = [](const Tensor& x) { return gelu(x); },
     .apply_gradient = gelu_gradient,
     .forward = [](Index n, const Real* x, Real* y) { kernels().gelu(n, x, y); },
     .gradient = nullptr,
     .forward_with_slope = [](Index n, const Real* x, Real* y,
                              Real* slope) { kernels().gelu_with_slope(n, x, y, slope); },
     .gradient_at = [](Index n, const Real* gy, const Real* x, Real* gx) { kernels().gelu_gradient(n, gy, x, gx); }},
    {.name = "gelu_tanh",
     .apply = [](const Tensor& x) { return gelu(x, {.tanh = true}); },
     .apply_gradient = gelu_tanh_gradient,
     .forward = [](Index n, const Real* x, Real* y) { kernels().gelu_tanh(n, x, y); },
     .gradient = nullptr,
     .forward_with_slope = [](Index n, const Real* x, Real* y,
                              Real* slope) { kernels().gelu_tanh_with_slope(n, x, y, slope); },
     .gradient_at = [](Index n, const Real* gy, const Real* x,
                       Real* gx) { kernels().gelu_tanh_gradient(n, gy, x, gx); }},
    {.name = "silu",
     .apply = silu,
     .apply_gradient = silu_gradient,
     .forward = [](Index n, const Real* x, Real* y) { kernels().silu(n, x, y); },
     .gradient = nullptr,
     .forward_with_slope = [](Index n, const Real* x, Real* y,
                              Real* slope) { kernels().silu_with_slope(n, x, y, slope); },
     .gradient_at = [](Index n, const Real* gy, const Real* x, Real* gx) { kernels().silu_gradient(n, gy, x, gx); }},
};

}  // namespace

std::span<const Activation> activations() { return kActivations; }

}  // namespace rill
