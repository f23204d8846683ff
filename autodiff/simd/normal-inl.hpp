// The CDF of the standard normal distribution, Phi(x) = erfc(-x / sqrt 2) / 2, for GELU.
#pragma once

#include "autodiff/simd/math-inl.hpp"

namespace rill::simd {
namespace {
namespace math {

constexpr Real kSqrtTwoPi = Real(2.5066282746310005024);
constexpr Real kNormalEnd = kSingle ? 15 : 39;

/// Phi(-c) = e^(-c^2/2) q / (1 + c (p + sqrt(2 pi) q)) for 0 <= c <= kNormalEnd, beyond which Phi is below all
/// denormal numbers. The polynomials make (1 + c p) / q sqrt(2 pi) closest to phi(c) / Phi(-c) - c, which falls from
/// 0.8 to 1 / c: so the rounding errors of the long sum q largely cancel between numerator and denominator.
template <class V>
struct NormalTail {
  V q, denominator;
};
template <class V>
NormalTail<V> normal_tail(V c) {
  V p, q;
  if constexpr (kSingle) {
    p = polynomial(c, {0.46069739816, 0.11563934618, 0.012201995042, 1.1414434981e-6});
    q = polynomial(c, {0.5, 0.45806293583, 0.19813069343, 0.045722117201, 0.0048889445121});
  } else {
    p = polynomial(c, {1.238768337601103233, 0.7846798571457490329, 0.3226662816278508057, 0.09354803262468994595,
                       0.01968345971567868127, 0.002997687125045990991, 0.0003190256657515113769,
                       0.00002164727304935822598, 7.220772643297734984e-7});
    q = polynomial(c, {0.5, 0.847098957056868626, 0.709823961665803551, 0.3808644769184304638, 0.1436791575181834899,
                       0.03966024008415141715, 0.008105382238259428305, 0.001213176143208490558,
                       0.000127848961275338898, 8.636012470444724658e-6, 2.880671504805267014e-7});
  }
  return {q, mul_add(c, mul_add(q, V(kSqrtTwoPi), p), V(1))};
}

/// -c^2 / 2 and its rounding error, which would be a relative error of e^(-c^2/2).
template <class V>
Product<V> minus_half_square(V c) {
  return exact_product(c, V(c * V(Real(-0.5))));
}

/// |x| Phi(-|x|)
template <class V>
V normal_tail_times(V magnitude) {
  const V c = xsimd::min(V(kNormalEnd), magnitude);
  const auto [q, denominator] = normal_tail(c);
  const auto [rounded, y] = times_exp(V(c * q), minus_half_square(c));
  return scale_by_power_of_two(divide(y, denominator), rounded);
}

/// Phi(x), and x times its density phi(x).
template <class V>
struct Normal {
  V cdf, x_pdf;
};
template <class V>
Normal<V> normal(V x) {
  const V c = xsimd::min(V(kNormalEnd), V(xsimd::abs(x)));
  const auto [rounded, y] = times_exp(V(1), minus_half_square(c));
  const V e = scale_by_power_of_two(y, rounded);
  const auto [q, denominator] = normal_tail(c);
  const V tail = divide(V(e * q), denominator);
  const V c_pdf = c * (e * V(Real(0.39894228040143267794)));
  return {xsimd::select(x < V(0), tail, V(V(1) - tail)), flip_sign(c_pdf, sign_bits(x))};
}

}  // namespace math
}  // namespace
}  // namespace rill::simd
