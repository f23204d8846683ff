// Elementwise functions.
#pragma once

#include "autodiff/real.hpp"

namespace rill::simd {

/// An operand of a two-dimensional elementwise kernel: element (r, c) is data[r * row + c * column].
/// `column` is 1 or 0, `row` anything; a stride of 0 repeats an element, which implements broadcasting.
struct Operand {
  const Real* data;
  Index row;
  Index column;
};

struct ElementwiseKernels {
  using Unary = void (*)(Index n, const Real* x, Real* y) noexcept;
  using Unary1 = void (*)(Index n, const Real* x, Real a, Real* y) noexcept;
  using Unary2 = void (*)(Index n, const Real* x, Real a, Real b, Real* y) noexcept;

  // y = f(x), element by element; NaN gives NaN, for sign too. For all arguments, exp and log are within 2 units in the
  // last place of the exact value, and sin, cos, tanh, sigmoid, softplus, gelu, gelu_tanh, silu and elu within 4 (5 on
  // sse2, which has no fused multiply-add). This includes denormal arguments and results; infinities give the limit
  // (NaN for sin and cos), and functions that are odd, or close to x near 0, keep the sign of a zero. sin, cos, tanh
  // and sigmoid never leave [-1, 1].
  Unary exp, log, sqrt, square, sin, cos, tanh, sigmoid, softplus, relu;
  Unary gelu;       ///< x Phi(x), Phi the CDF of the standard normal distribution
  Unary gelu_tanh;  ///< x sigmoid(a), a = 2 sqrt(2 / pi) (x + 0.044715 x^3)
  Unary silu, abs, sign;
  Unary1 leaky_relu;  ///< x > 0 ? x : a x
  Unary1 pow;         ///< x^a as C's pow, special values included
  Unary2 elu;         ///< x > 0 ? b x : b a (e^x - 1)
  Unary2 clamp;       ///< min(max(x, a), b); NaN stays NaN
  Unary2 affine;      ///< a x + b

  // gx = gy f'(.), element by element; each needs either the input x or the output y of its function.
  using Gradient = void (*)(Index n, const Real* gy, const Real* v, Real* gx) noexcept;
  using Gradient1 = void (*)(Index n, const Real* gy, const Real* v, Real a, Real* gx) noexcept;
  using Gradient2 = void (*)(Index n, const Real* gy, const Real* v, Real a, Real b, Real* gx) noexcept;
  Gradient tanh_gradient;         ///< gy (1 - y^2)
  Gradient sigmoid_gradient;      ///< gy y (1 - y)
  Gradient softplus_gradient;     ///< gy sigmoid(x)
  Gradient relu_gradient;         ///< x > 0 ? gy : 0
  Gradient gelu_gradient;         ///< gy (Phi(x) + x phi(x)), phi the normal density
  Gradient gelu_tanh_gradient;    ///< gy s (1 + x (1 - s) a'), s = sigmoid(a)
  Gradient silu_gradient;         ///< gy s (1 + x (1 - s)), s = sigmoid(x)
  Gradient1 leaky_relu_gradient;  ///< x > 0 ? gy : a gy
  Gradient2 elu_gradient;         ///< of the output: y > 0 ? b gy : gy (y + a b)
  Gradient2 clamp_gradient;       ///< a <= x <= b ? gy : 0

  // y = f(x) and slope = f'(x), element by element: for training steps, where the derivative does not follow from the
  // output.
  using WithSlope = void (*)(Index n, const Real* x, Real* y, Real* slope) noexcept;
  WithSlope softplus_with_slope, gelu_with_slope, gelu_tanh_with_slope, silu_with_slope;

  // y[r, c] = f(a[r, c], b[r, c]), y contiguous.
  using Binary = void (*)(Index rows, Index columns, Operand a, Operand b, Real* y) noexcept;
  Binary add, subtract, multiply, divide, minimum, maximum;  // minimum, maximum: NaN if either is
  Binary less, less_equal, equal;                            // 1 or 0
  using Select = void (*)(Index rows, Index columns, Operand condition, Operand a, Operand b, Real* y) noexcept;
  Select select;  ///< condition != 0 ? a : b
};

}  // namespace rill::simd

#ifdef RILL_REFERENCE
// In plain C++, one number at a time.
#include "autodiff/simd/reference-inl.hpp"

namespace rill::simd::scalar {
namespace {

// Textbook formulas, in twice the precision: their rounding errors vanish in the last rounding, to a Real, and nothing
// overflows on the way.
constexpr Wide kSqrtHalf = 0.707106781186547524400844362104849039L;
constexpr Wide kInverseSqrtTwoPi = 0.398942280401432677939946059934381868L;

Real exp(Real x) { return std::exp(x); }
Real log(Real x) { return std::log(x); }
Real sqrt(Real x) { return std::sqrt(x); }
Real square(Real x) { return x * x; }
Real sin(Real x) { return std::sin(x); }
Real cos(Real x) { return std::cos(x); }
Real tanh(Real x) { return std::tanh(x); }
Wide wide_sigmoid(Wide x) { return 1 / (1 + std::exp(-x)); }
Real sigmoid(Real x) { return static_cast<Real>(wide_sigmoid(x)); }
// ln(1 + e^x), written so that e^x cannot overflow.
Real softplus(Real x) { return static_cast<Real>((x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(Wide(x))))); }
Real relu(Real x) { return x < 0 ? 0 : x; }
// f(x) = x p(x) for a p that falls to 0 faster than x grows: at -infinity the product is NaN, its limit 0.
Real vanishing_product(Real x, Wide p) { return x == -kInfinity ? Real(-0.) : static_cast<Real>(x * p); }
Real silu(Real x) { return vanishing_product(x, wide_sigmoid(x)); }
// Phi(x) = erfc(-x / sqrt 2) / 2 keeps its digits where 1 + erf would cancel.
Wide normal_cdf(Wide x) { return std::erfc(-x * kSqrtHalf) / 2; }
Wide normal_pdf(Wide x) { return kInverseSqrtTwoPi * std::exp(-x * x / 2); }
Real gelu(Real x) { return vanishing_product(x, normal_cdf(x)); }
// sigmoid(a), a = k (x + c x^3), which is (1 + tanh(a / 2)) / 2.
constexpr Wide kGeluScale = 1.59576912160573071175978423973752747L, kGeluCubic = 0.044715L;  // 2 sqrt(2 / pi)
Wide gelu_sigmoid(Wide x) { return wide_sigmoid(kGeluScale * (x + kGeluCubic * x * x * x)); }
Real gelu_tanh(Real x) { return vanishing_product(x, gelu_sigmoid(x)); }
Real abs(Real x) { return std::abs(x); }
Real sign(Real x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

Real leaky_relu(Real x, Real a) { return x > 0 ? x : a * x; }
Real pow(Real x, Real a) { return std::pow(x, a); }
Real elu(Real x, Real a, Real b) { return x >= 0 ? b * x : b * a * std::expm1(x); }
Real clamp(Real x, Real a, Real b) { return x < a ? a : x > b ? b : x; }
Real affine(Real x, Real a, Real b) { return a * x + b; }

Real tanh_gradient(Real gy, Real y) { return gy * (1 - y * y); }
Real sigmoid_gradient(Real gy, Real y) { return gy * y * (1 - y); }
Real softplus_gradient(Real gy, Real x) { return gy * sigmoid(x); }
Real relu_gradient(Real gy, Real x) { return x > 0 ? gy : 0; }
// x is clamped to bounds beyond which the slope is 0 or 1: at infinity the products would be NaN.
Real gelu_gradient(Real gy, Real x) {
  const Wide c = std::clamp<Wide>(x, -40, 40);
  return static_cast<Real>(gy * (normal_cdf(c) + c * normal_pdf(c)));
}
Real gelu_tanh_gradient(Real gy, Real x) {
  const Wide c = std::clamp<Wide>(x, -40, 40);
  const Wide s = gelu_sigmoid(c), slope = kGeluScale * (1 + 3 * kGeluCubic * c * c);
  return static_cast<Real>(gy * s * (1 + c * (1 - s) * slope));
}
Real silu_gradient(Real gy, Real x) {
  const Wide c = std::clamp<Wide>(x, -800, 800), s = wide_sigmoid(c);
  return static_cast<Real>(gy * s * (1 + c * (1 - s)));
}
Real leaky_relu_gradient(Real gy, Real x, Real a) { return x > 0 ? gy : a * gy; }
Real elu_gradient(Real gy, Real y, Real a, Real b) { return y > 0 ? b * gy : gy * (y + a * b); }
Real clamp_gradient(Real gy, Real x, Real a, Real b) { return a <= x && x <= b ? gy : 0; }

template <Real (*f)(Real)>
void unary(Index n, const Real* x, Real* y) noexcept {
  for (Index i = 0; i < n; ++i) y[i] = f(x[i]);
}
template <Real (*f)(Real, Real)>
void unary1(Index n, const Real* x, Real a, Real* y) noexcept {
  for (Index i = 0; i < n; ++i) y[i] = f(x[i], a);
}
template <Real (*f)(Real, Real, Real)>
void unary2(Index n, const Real* x, Real a, Real b, Real* y) noexcept {
  for (Index i = 0; i < n; ++i) y[i] = f(x[i], a, b);
}
template <Real (*f)(Real, Real)>
void gradient(Index n, const Real* gy, const Real* v, Real* gx) noexcept {
  for (Index i = 0; i < n; ++i) gx[i] = f(gy[i], v[i]);
}
template <Real (*f)(Real), Real (*f_gradient)(Real, Real)>
void with_slope(Index n, const Real* x, Real* y, Real* slope) noexcept {
  for (Index i = 0; i < n; ++i) {
    const Real x_i = x[i];
    y[i] = f(x_i);
    slope[i] = f_gradient(1, x_i);
  }
}
template <Real (*f)(Real, Real, Real)>
void gradient1(Index n, const Real* gy, const Real* v, Real a, Real* gx) noexcept {
  for (Index i = 0; i < n; ++i) gx[i] = f(gy[i], v[i], a);
}
template <Real (*f)(Real, Real, Real, Real)>
void gradient2(Index n, const Real* gy, const Real* v, Real a, Real b, Real* gx) noexcept {
  for (Index i = 0; i < n; ++i) gx[i] = f(gy[i], v[i], a, b);
}

// ---------------------------------------------------------------------------------------------------------------------
// Functions of two or three numbers, broadcast by strides

Real add(Real a, Real b) { return a + b; }
Real subtract(Real a, Real b) { return a - b; }
Real multiply(Real a, Real b) { return a * b; }
Real divide(Real a, Real b) { return a / b; }
Real minimum(Real a, Real b) { return std::isnan(a) || a < b ? a : b; }
Real maximum(Real a, Real b) { return std::isnan(a) || a > b ? a : b; }
Real less(Real a, Real b) { return a < b; }
Real less_equal(Real a, Real b) { return a <= b; }
Real equal(Real a, Real b) { return a == b; }

Real at(const Operand& a, Index r, Index c) { return a.data[r * a.row + c * a.column]; }

template <Real (*f)(Real, Real)>
void binary(Index rows, Index columns, Operand a, Operand b, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < columns; ++c) y[r * columns + c] = f(at(a, r, c), at(b, r, c));
  }
}

void select(Index rows, Index columns, Operand condition, Operand a, Operand b, Real* y) noexcept {
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < columns; ++c) y[r * columns + c] = at(condition, r, c) != 0 ? at(a, r, c) : at(b, r, c);
  }
}

}  // namespace

extern constinit const ElementwiseKernels elementwise_kernels = {
    .exp = unary<exp>,
    .log = unary<log>,
    .sqrt = unary<sqrt>,
    .square = unary<square>,
    .sin = unary<sin>,
    .cos = unary<cos>,
    .tanh = unary<tanh>,
    .sigmoid = unary<sigmoid>,
    .softplus = unary<softplus>,
    .relu = unary<relu>,
    .gelu = unary<gelu>,
    .gelu_tanh = unary<gelu_tanh>,
    .silu = unary<silu>,
    .abs = unary<abs>,
    .sign = unary<sign>,
    .leaky_relu = unary1<leaky_relu>,
    .pow = unary1<pow>,
    .elu = unary2<elu>,
    .clamp = unary2<clamp>,
    .affine = unary2<affine>,
    .tanh_gradient = gradient<tanh_gradient>,
    .sigmoid_gradient = gradient<sigmoid_gradient>,
    .softplus_gradient = gradient<softplus_gradient>,
    .relu_gradient = gradient<relu_gradient>,
    .gelu_gradient = gradient<gelu_gradient>,
    .gelu_tanh_gradient = gradient<gelu_tanh_gradient>,
    .silu_gradient = gradient<silu_gradient>,
    .leaky_relu_gradient = gradient1<leaky_relu_gradient>,
    .elu_gradient = gradient2<elu_gradient>,
    .clamp_gradient = gradient2<clamp_gradient>,
    .softplus_with_slope = with_slope<softplus, softplus_gradient>,
    .gelu_with_slope = with_slope<gelu, gelu_gradient>,
    .gelu_tanh_with_slope = with_slope<gelu_tanh, gelu_tanh_gradient>,
    .silu_with_slope = with_slope<silu, silu_gradient>,
    .add = binary<add>,
    .subtract = binary<subtract>,
    .multiply = binary<multiply>,
    .divide = binary<divide>,
    .minimum = binary<minimum>,
    .maximum = binary<maximum>,
    .less = binary<less>,
    .less_equal = binary<less_equal>,
    .equal = binary<equal>,
    .select = select,
};

}  // namespace rill::simd::scalar
#endif
