// Elementwise functions: the formulas of elementwise.hpp, on registers.
#include "autodiff/simd/elementwise.hpp"

#include "autodiff/simd/loops-inl.hpp"
#include "autodiff/simd/math-inl.hpp"
#include "autodiff/simd/normal-inl.hpp"
#include "autodiff/simd/set-inl.hpp"
#include "autodiff/simd/trigonometry-inl.hpp"

namespace rill::simd {
namespace {

template <class V>
struct Functions {
  static V exp(V x) { return math::exp(x); }
  static V log(V x) { return math::log(x); }
  static V sqrt(V x) { return square_root(x); }
  static V square(V x) { return x * x; }
  static V sin(V x) { return math::sin(x); }
  static V cos(V x) { return math::cos(x); }
  // With e^(2 |x|) = 2^n (even + odd) / (even - odd), tanh |x| = (e^(2 |x|) - 1) / (e^(2 |x|) + 1) is
  //   ((2^n - 1) even + (2^n + 1) odd) / ((2^n + 1) even + (2^n - 1) odd),
  // which does not cancel for small x, where n = 0.
  static V tanh(V x) {
    constexpr Real kOne = kSingle ? 10 : 20;  // from here on, tanh rounds to 1
    const V magnitude = xsimd::min(V(kOne), V(xsimd::abs(x)));
    const auto [rounded, r] = math::reduce_by_ln2(V(magnitude + magnitude));
    const auto [even, odd] = math::exp_pade(r);
    const V power = math::power_of_two(rounded), below = power - V(1), above = power + V(1);
    const V y = simd::divide(mul_add(below, even, V(above * odd)), mul_add(above, even, V(below * odd)));
    return math::flip_sign(y, math::sign_bits(x));
  }
  static V sigmoid(V x) { return sigmoid_between(between_sigmoid_tails(x)); }
  // max(x, 0) + ln(1 + e^-|x|), with ln(1 + u) = 2 atanh(u / (2 + u))
  static V softplus(V x) {
    constexpr Real kZero = kSingle ? -104 : -746;
    const auto [rounded, r] = math::reduce_by_ln2(V(xsimd::max(V(kZero), V(-xsimd::abs(x)))));
    const auto [even, odd] = math::exp_pade(r);
    const V u = math::scale_by_power_of_two(V(even + odd), rounded), one = even - odd;
    const V s = simd::divide(u, V(u + (one + one)));
    const V z = s * s;
    return relu(x) + mul_add(V(s * z), math::atanh_series_to_third(z), V(s + s));
  }
  static V relu(V x) { return xsimd::select(x < V(0), V(0), x); }
  // x Phi(x) = max(x, 0) - |x| Phi(-|x|), where max must be -0 for x < 0, so that the sign is right even if the rest is
  // 0. Not written as a max: with clang 14, the sign of gelu(0) would be wrong.
  static V gelu(V x) {
    const V rest = math::normal_tail_times(V(xsimd::abs(x)));
    return xsimd::select(x < V(0), math::flip_sign(rest, math::sign_bits(x)), V(x - rest));
  }
  // x sigmoid(a) with a = 2 sqrt(2 / pi) (x + 0.044715 x^3)
  static V gelu_tanh(V x) {
    const V c = between_gelu_tails(x);
    const auto a = gelu_tanh_argument(c);
    return with_denormals(V(x * sigmoid_between(a)), c, a.high, a);
  }
  static V silu(V x) { return silu(x, sigmoid(x)); }
  static V abs(V x) { return xsimd::abs(x); }
  static V sign(V x) { return xsimd::select(x > V(0), V(1), V(xsimd::select(x < V(0), V(-1), x))); }

  static V leaky_relu(V x, V a) { return xsimd::select(x > V(0), x, V(a * x)); }
  static V elu(V x, V a, V b) {
    return xsimd::select(x >= V(0), V(b * x), V(b * a * math::expm1_negative(V(xsimd::min(V(0), x)))));
  }
  static V clamp(V x, V a, V b) { return xsimd::select(x < a, a, V(xsimd::select(x > b, b, x))); }
  static V affine(V x, V a, V b) { return mul_add(a, x, b); }

  static V tanh_gradient(V gy, V y) { return gy * neg_mul_add(y, y, V(1)); }
  static V sigmoid_gradient(V gy, V y) { return gy * y * (V(1) - y); }
  static V softplus_gradient(V gy, V x) { return gy * sigmoid(x); }
  static V relu_gradient(V gy, V x) { return xsimd::select(x > V(0), gy, V(0)); }
  static V gelu_gradient(V gy, V x) {
    const math::Normal<V> n = math::normal(x);
    return gy * (n.cdf + n.x_pdf);
  }
  static V silu_gradient(V gy, V x) {
    const V c = between_sigmoid_tails(x);
    return silu_gradient(gy, c, sigmoid_between(c));
  }
  // s (1 + x (1 - s) a'), a' = k + 3 h x^2
  static V gelu_tanh_gradient(V gy, V x) {
    constexpr Real k = Real(1.59576912160573071176), h3 = Real(3 * 0.07135481627260024878);
    const V c = between_gelu_tails(x);
    const V slope = mul_add(V(c * c), V(h3), V(k));
    const V s = sigmoid_between(gelu_tanh_argument(c));
    return gy * s * mul_add(V(c * slope), V(V(1) - s), V(1));
  }
  static V leaky_relu_gradient(V gy, V x, V a) { return xsimd::select(x > V(0), gy, V(a * gy)); }
  static V elu_gradient(V gy, V y, V a, V b) { return xsimd::select(y > V(0), V(b * gy), V(gy * mul_add(a, b, y))); }
  static V clamp_gradient(V gy, V x, V a, V b) { return xsimd::select((a <= x) & (x <= b), gy, V(0)); }

  static V add(V a, V b) { return a + b; }
  static V subtract(V a, V b) { return a - b; }
  static V multiply(V a, V b) { return a * b; }
  static V divide(V a, V b) { return simd::divide(a, b); }
  // b is taken when the comparison is false, as it is when b is NaN.
  static V minimum(V a, V b) { return xsimd::select(xsimd::isnan(a), a, V(xsimd::select(a < b, a, b))); }
  static V maximum(V a, V b) { return simd::maximum(a, b); }
  static V less(V a, V b) { return xsimd::select(a < b, V(1), V(0)); }
  static V less_equal(V a, V b) { return xsimd::select(a <= b, V(1), V(0)); }
  static V equal(V a, V b) { return xsimd::select(a == b, V(1), V(0)); }

  /// f(x) and f'(x).
  struct ValueAndSlope {
    V value, slope;
  };
  static ValueAndSlope softplus_with_slope(V x) { return {softplus(x), softplus_gradient(V(1), x)}; }
  static ValueAndSlope gelu_with_slope(V x) { return {gelu(x), gelu_gradient(V(1), x)}; }
  static ValueAndSlope gelu_tanh_with_slope(V x) { return {gelu_tanh(x), gelu_tanh_gradient(V(1), x)}; }
  static ValueAndSlope silu_with_slope(V x) {
    const V c = between_sigmoid_tails(x), s = sigmoid_between(c);
    return {silu(x, s), silu_gradient(V(1), c, s)};
  }

 private:
  /// x clamped to the bounds where sigmoid rounds to 0 and 1.
  static V between_sigmoid_tails(V x) {
    constexpr Real kZero = kSingle ? -104 : -746, kOne = kSingle ? 20 : 40;
    return xsimd::min(V(kOne), V(xsimd::max(V(kZero), x)));
  }

  // With s = sigmoid(x), and c = x clamped between the tails: an infinite x might be multiplied by 0.
  static V silu(V x, V s) {
    constexpr Real kZero = kSingle ? -120 : -760;
    const V c = xsimd::max(V(kZero), x);
    return with_denormals(V(x * s), c, c, c);
  }
  static V silu_gradient(V gy, V c, V s) { return gy * s * mul_add(c, V(V(1) - s), V(1)); }

  /// 1 / (1 + e^-a) for a between sigmoid's tails, as V or Product.
  template <class A>
  static V sigmoid_between(A a) {
    const auto [rounded, r] = math::reduce_by_ln2(a);
    const auto [even, odd] = math::exp_pade(r);
    const V e = math::scale_by_power_of_two(V(even + odd), rounded);
    return simd::divide(e, V(e + (even - odd)));
  }

  /// Returns y = x sigmoid(a), but where sigmoid(a) = e^a is denormal c e^a, which rounds only once. c is x, unless
  /// that is beyond all denormals; `high` is the leading part of a.
  template <class A>
  static V with_denormals(V y, V c, V high, A a) {
    constexpr Real kSmallest = kSingle ? -87 : -708;
    const auto denormal = high < V(kSmallest);
    if (!xsimd::any(denormal)) [[likely]]
      return y;
    const auto [rounded, tail] = math::times_exp(c, a);
    return xsimd::select(denormal, math::scale_by_power_of_two(tail, rounded), y);
  }

  /// x clamped to the bounds where the tanh form of GELU has become 0 and x.
  static V between_gelu_tails(V x) {
    constexpr Real kZero = kSingle ? -12 : -22, kIdentity = kSingle ? Real(5.5) : Real(8);
    return xsimd::min(V(kIdentity), V(xsimd::max(V(kZero), x)));
  }
  /// 2 sqrt(2 / pi) (x + 0.044715 x^3) = x (k + h x^2). Its absolute error is a relative error of the sigmoid, so k and
  /// h have a second part, and the first part of k has few bits, so that the rounding error of the sum is exact.
  static math::Product<V> gelu_tanh_argument(V x) {
    constexpr Real k[2] = {Real(0x1.98p+0), kSingle ? Real(0x1.08a67ap-9) : Real(0x1.08a67a86ca11ap-9)};
    constexpr Real h[2] = {kSingle ? Real(0x1.2444f2p-4) : Real(0x1.2444f2a4d8b4bp-4),
                           kSingle ? Real(0x1.49b16ap-29) : Real(-0x1.6c843a29d1c70p-61)};
    const auto square = math::exact_product(x, x), term = math::exact_product(V(h[0]), square.high);
    const V sum = term.high + V(k[0]);
    const V lost = (term.high + (V(k[0]) - sum)) + term.low;
    const V rest = mul_add(V(h[0]), square.low, mul_add(V(h[1]), square.high, V(k[1]))) + lost;
    const auto a = math::exact_product(x, sum);
    const V low = mul_add(x, rest, a.low), high = a.high + low;  // makes low small
    return {high, (a.high - high) + low};
  }
};

template <class V, typename Functions<V>::ValueAndSlope (*f)(V)>
[[gnu::flatten]] void with_slope(Index n, const Real* x, Real* y, Real* slope) noexcept {
  for_registers<V>(n, [=](Index i, auto part) {
    const auto both = f(part.load(x + i));
    part.store(y + i, both.value);
    part.store(slope + i, both.slope);
  });
}

Real power_of_one(Real x, Real a) {
  return kSingle ? __builtin_powf(static_cast<float>(x), static_cast<float>(a))
                 : static_cast<Real>(__builtin_pow(x, a));
}

/// Small integer powers by repeated squaring; the others by C's pow, one by one: no short formula has its accuracy and
/// special values.
template <class V>
void pow(Index n, const Real* x, Real a, Real* y) noexcept {
  const int whole = a >= -16 && a <= 16 ? static_cast<int>(a) : 0;
  if (static_cast<Real>(whole) == a) {
    for_registers<V>(n, [=](Index i, auto part) {
      const V x_i = part.load(x + i);
      V power(1), square = x_i;
      for (int rest = whole < 0 ? -whole : whole; rest > 0; rest /= 2, square = square * square) {
        if (rest % 2 == 1) power = power * square;
      }
      if (whole < 0) {
        // If x^-a is denormal or infinite, x^a may still be finite and nonzero.
        const V magnitude = xsimd::abs(power);
        const auto lost = (magnitude < V(math::kSmallestNormal)) | (magnitude == V(kInfinity));
        power = xsimd::any(lost) ? math::each_lane(x_i, [a](Real lane) { return power_of_one(lane, a); })
                                 : divide(V(1), power);
      }
      part.store(y + i, power);
    });
  } else {
    for (Index i = 0; i < n; ++i) y[i] = power_of_one(x[i], a);
  }
}

template <class V>
void select(Index rows, Index columns, Operand condition, Operand a, Operand b, Real* y) noexcept {
  with_long_rows<V, 3>(rows, columns, {condition, a, b}, y, [](Index m, Index n, const Operand(&x)[3], Real* z) {
    for (Index r = 0; r < m; ++r, z += n) {
      for_registers<V>(n, [&](Index c, auto part) {
        const auto load = [&](const Operand& operand) {
          const Real* row = operand.data + r * operand.row;
          return operand.column == 0 ? V(*row) : part.load(row + c);
        };
        const auto zero = load(x[0]) == V(0);
        part.store(z + c, V(xsimd::select(zero, load(x[2]), load(x[1]))));
      });
    }
  });
}

using F = Functions<Registers>;

}  // namespace

namespace RILL_SET {

extern constinit const ElementwiseKernels elementwise_kernels = {
    .exp = unary<Registers, F::exp>,
    .log = unary<Registers, F::log>,
    .sqrt = unary<Registers, F::sqrt>,
    .square = unary<Registers, F::square>,
    .sin = unary<Registers, F::sin>,
    .cos = unary<Registers, F::cos>,
    .tanh = unary<Registers, F::tanh>,
    .sigmoid = unary<Registers, F::sigmoid>,
    .softplus = unary<Registers, F::softplus>,
    .relu = unary<Registers, F::relu>,
    .gelu = unary<Registers, F::gelu>,
    .gelu_tanh = unary<Registers, F::gelu_tanh>,
    .silu = unary<Registers, F::silu>,
    .abs = unary<Registers, F::abs>,
    .sign = unary<Registers, F::sign>,
    .leaky_relu = unary1<Registers, F::leaky_relu>,
    .pow = pow<Registers>,
    .elu = unary2<Registers, F::elu>,
    .clamp = unary2<Registers, F::clamp>,
    .affine = unary2<Registers, F::affine>,

    .tanh_gradient = gradient<Registers, F::tanh_gradient>,
    .sigmoid_gradient = gradient<Registers, F::sigmoid_gradient>,
    .softplus_gradient = gradient<Registers, F::softplus_gradient>,
    .relu_gradient = gradient<Registers, F::relu_gradient>,
    .gelu_gradient = gradient<Registers, F::gelu_gradient>,
    .gelu_tanh_gradient = gradient<Registers, F::gelu_tanh_gradient>,
    .silu_gradient = gradient<Registers, F::silu_gradient>,
    .leaky_relu_gradient = gradient1<Registers, F::leaky_relu_gradient>,
    .elu_gradient = gradient2<Registers, F::elu_gradient>,
    .clamp_gradient = gradient2<Registers, F::clamp_gradient>,

    .softplus_with_slope = with_slope<Registers, F::softplus_with_slope>,
    .gelu_with_slope = with_slope<Registers, F::gelu_with_slope>,
    .gelu_tanh_with_slope = with_slope<Registers, F::gelu_tanh_with_slope>,
    .silu_with_slope = with_slope<Registers, F::silu_with_slope>,

    .add = binary<Registers, F::add>,
    .subtract = binary<Registers, F::subtract>,
    .multiply = binary<Registers, F::multiply>,
    .divide = binary<Registers, F::divide>,
    .minimum = binary<Registers, F::minimum>,
    .maximum = binary<Registers, F::maximum>,
    .less = binary<Registers, F::less>,
    .less_equal = binary<Registers, F::less_equal>,
    .equal = binary<Registers, F::equal>,
    .select = select<Registers>,
};

}

}  // namespace rill::simd
