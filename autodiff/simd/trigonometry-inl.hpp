// Sine and cosine of a register.
#pragma once

#include "autodiff/simd/math-inl.hpp"

namespace rill::simd {
namespace {
namespace math {

/// x - h pi for an h with few bits: pi is split into pieces whose products with h are exact, or are absorbed by the
/// single rounding of a fused multiply-add (Cody and Waite 1980).
template <class V>
V minus_pi_times(V h, V x) {
  if constexpr (kFused) {
    constexpr Real kPi[] = {kSingle ? Real(0x1.921fb6p+1) : Real(0x1.921fb54442d18p+1),
                            kSingle ? Real(-0x1.777a5cp-24) : Real(0x1.1a62633145c07p-53),
                            kSingle ? Real(-0x1.ee59dap-49) : Real(-0x1.f1976b7ed8fbcp-109)};
    for (const Real piece : kPi) x = neg_mul_add(h, V(piece), x);
  } else {
    constexpr Real kPi[] = {kSingle ? Real(0x1.922p+1) : Real(0x1.921fb54440000p+1),
                            kSingle ? Real(-0x1.2afp-17) : Real(0x1.68c234c4c0000p-38),
                            kSingle ? Real(0x1.0b48p-33) : Real(0x1.98a2e03700000p-76),
                            kSingle ? Real(-0x1.ee59dap-49) : Real(0x1.cd129024e088ap-114)};
    for (const Real piece : kPi) x = neg_mul_add(h, V(piece), x);
  }
  return x;
}

/// sin r for |r| <= pi / 2, with `signs` flipped:   r + r^3 (-1/3! + r^2/5! - ...), and rounding never goes beyond 1.
template <class V>
V sin_reduced(V r, WordsOf<V> signs) {
  const V z = r * r;
  V series;
  if constexpr (kSingle) {
    series = polynomial(z, {-0x1.555556p-3, 0x1.11114ap-7, -0x1.a02e38p-13, 0x1.747254p-19, -0x1.df72aep-26});
  } else {
    series =
        polynomial(z, {-0x1.5555555555555p-3, 0x1.11111111110b9p-7, -0x1.a01a01a013541p-13, 0x1.71de3a51c2f76p-19,
                       -0x1.ae64545b40e0fp-26, 0x1.6123aac21d2cp-33, -0x1.ae39d60a5c143p-41, 0x1.871de46af3df7p-49});
  }
  const V magnitude = xsimd::abs(r);
  const V s = xsimd::min(V(1), mul_add(V(z * magnitude), series, magnitude));
  return flip_sign(s, WordsOf<V>(signs ^ sign_bits(r)));
}

/// Beyond this, the reduction needs more pieces of pi; the C library has them.
constexpr Real kLargestAngle = kFused ? (kSingle ? Real(1e5) : Real(1e9)) : (kSingle ? Real(1e3) : Real(1e5));

template <class V, class F>
[[gnu::noinline]] V each_lane(V x, F f) {
  alignas(64) Real lanes[V::size];
  x.store_aligned(lanes);
  for (Real& lane : lanes) lane = f(lane);
  return V::load_aligned(lanes);
}

/// The sign bit of (-1)^n for n = rounded - kRound.
template <class V>
WordsOf<V> parity_as_sign(V rounded) {
  return bits_as<WordsOf<V>>(rounded) << (8 * sizeof(Real) - 1);
}

/// x = n pi + r:   sin x = (-1)^n sin r
template <class V>
V sin(V x) {
  const V magnitude = xsimd::abs(x);
  if (xsimd::any(magnitude > V(kLargestAngle))) [[unlikely]] {
    return each_lane(x, [](Real lane) {
      return kSingle ? __builtin_sinf(static_cast<float>(lane)) : static_cast<Real>(__builtin_sin(lane));
    });
  }
  const V rounded = mul_add(magnitude, V(Real(0.31830988618379067154)), V(kRound));
  return sin_reduced(minus_pi_times(V(rounded - V(kRound)), magnitude),
                     WordsOf<V>(sign_bits(x) ^ parity_as_sign(rounded)));
}

/// x = (n - 1/2) pi + r:   cos x = (-1)^n sin r
template <class V>
V cos(V x) {
  const V magnitude = xsimd::abs(x);
  if (xsimd::any(magnitude > V(kLargestAngle))) [[unlikely]] {
    return each_lane(x, [](Real lane) {
      return kSingle ? __builtin_cosf(static_cast<float>(lane)) : static_cast<Real>(__builtin_cos(lane));
    });
  }
  const V rounded = mul_add(magnitude, V(Real(0.31830988618379067154)), V(Real(0.5))) + V(kRound);
  const V half_odd = rounded - V(kRound) - V(Real(0.5));
  return sin_reduced(minus_pi_times(half_odd, magnitude), parity_as_sign(rounded));
}

template <class V>
struct SinCos {
  V sin, cos;
};

/// sin and cos of 2 pi u for 0 <= u <= 1, where u = quarters / 4 + r / 2 pi exactly and |r| <= pi / 4.
template <class V>
SinCos<V> sincos_turns(V u) {
  using W = WordsOf<V>;
  const V quarters = mul_add(u, V(4), V(kRound));
  const V r = neg_mul_add(V(quarters - V(kRound)), V(Real(0.25)), u) * V(Real(6.28318530717958647692));
  const V z = r * r;
  V s, c;  // sin r = r + r^3 (-1/3! + r^2/5! - ...), cos r = 1 - r^2/2 + r^4 (1/4! - r^2/6! + ...)
  if constexpr (kSingle) {
    s = polynomial(z, {-0x1.555552p-3, 0x1.110be4p-7, -0x1.9ab296p-13});
    c = polynomial(z, {1, -0.5, 0x1.555554p-5, -0x1.6c129cp-10, 0x1.9bc614p-16});
  } else {
    s = polynomial(z, {-0x1.5555555555555p-3, 0x1.1111111110c7ap-7, -0x1.a01a019e9eaf3p-13, 0x1.71de37ae58afcp-19,
                       -0x1.ae601d50afbbdp-26, 0x1.5e1034164c948p-33});
    c = polynomial(z, {1, -0.5, 0x1.5555555555555p-5, -0x1.6c16c16c168c8p-10, 0x1.a01a019f37923p-16,
                       -0x1.27e4fa01e4aebp-22, 0x1.1eeb56ab58d3fp-29, -0x1.90729f75079dfp-37});
  }
  s = mul_add(V(z * r), s, r);
  // An odd number of quarters swaps sine and cosine; bit 1 of quarters, or of quarters + 1, is the sign.
  const W q = bits_as<W>(quarters);
  const auto odd = (q & W(1)) == W(1);
  constexpr int kToSign = 8 * sizeof(Real) - 2;
  const auto pick = [&](V when_odd, V otherwise) {
    return bits_as<V>(W(xsimd::select(odd, bits_as<W>(when_odd), bits_as<W>(otherwise))));
  };
  return {flip_sign(pick(c, s), W((q << kToSign) & W(kSignBit))),
          flip_sign(pick(s, c), W(((q + W(1)) << kToSign) & W(kSignBit)))};
}

}  // namespace math
}  // namespace
}  // namespace rill::simd
