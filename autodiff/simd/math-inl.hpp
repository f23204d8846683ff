// Elementary functions of a register, to within a few units in the last place.
//
// Each one reduces its argument to a small interval and sums a series there. Where a series has a closed form its
// coefficients are written as such; the lengths leave a truncation error below half a unit in the last place.
#pragma once

#include "autodiff/simd/batch-inl.hpp"

namespace rill::simd {
namespace {

constexpr bool kSingle = sizeof(Real) == 4;

// Called by this name, or argument-dependent lookup would prefer xsimd's exp to ours.
namespace math {

// Adding 1.5 * 2^mantissa to a small x rounds it to an integer, which then stands in the low bits of the sum.
constexpr Real kRound = kSingle ? Real(0x1.8p23) : Real(0x1.8p52);
constexpr Word kOneBits = kSingle ? Word(0x3F800000) : Word(0x3FF0000000000000);
constexpr Word kMantissaMask = (Word(1) << kMantissaBits) - 1;
constexpr Word kSignBit = Word(1) << (8 * sizeof(Real) - 1);

// ln 2 and pi / 2 in pieces: the products of the leading ones with a small integer are exact (Cody and Waite 1980).
constexpr Real kLn2[2] = {kSingle ? Real(0x1.628p-1) : Real(0x1.62e42fee00000p-1),
                          kSingle ? Real(0.00076436805994530941723) : Real(1.9082149292705878161e-10)};
constexpr Real kHalfPi[3] = {kSingle ? Real(0x1.92p+0) : Real(0x1.921fb54400000p+0),
                             kSingle ? Real(0x1.fb4p-12) : Real(0x1.0b4611a600000p-34),
                             kSingle ? Real(0x1.4442dp-24) : Real(0x1.3198a2e037073p-69)};

/// 2^n for an integer n given as kRound + n, if that is a normal number: n is moved into the exponent.
template <class V>
V power_of_two(V rounded) {
  using W = WordsOf<V>;
  return bits_as<V>(W((bits_as<W>(rounded) << kMantissaBits) + W(kOneBits)));
}

/// x = n ln 2 + r with |r| <= ln 2 / 2: kRound + n, and e^r - 1.
template <class V>
struct ExpParts {
  V rounded, expm1_r;
};
template <class V>
ExpParts<V> exp_parts(V x) {
  const V rounded = mul_add(x, V(Real(1.4426950408889634074)), V(kRound));
  const V n = rounded - V(kRound);
  const V r = neg_mul_add(n, V(kLn2[1]), neg_mul_add(n, V(kLn2[0]), x));
  // e^r - 1 = r + r^2 (1/2! + r/3! + ...)
  V series;
  if constexpr (kSingle) {
    series = polynomial(r, 1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040);
  } else {
    series = polynomial(r, 1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320, 1. / 362880,
                        1. / 3628800, 1. / 39916800, 1. / 479001600, 1. / 6227020800);
  }
  return {rounded, mul_add(r * r, series, r)};
}

/// 2^n x for n = rounded - kRound, rounded once where the result is denormal.
template <class V>
V scale_by_power_of_two(V x, V rounded) {
  const V n = rounded - V(kRound);
#ifdef __AVX512F__
  if constexpr (kSingle) {
    return V(_mm512_scalef_ps(x, n));
  } else {
    return V(_mm512_scalef_pd(x, n));
  }
#else
  // Two factors, because 2^n itself may be infinite or denormal.
  const V half = mul_add(n, V(Real(0.5)), V(kRound));
  const V rest = n - (half - V(kRound)) + V(kRound);
  return x * power_of_two(half) * power_of_two(rest);
#endif
}

/// e^x. Beyond the bounds the result is 0 or infinite; min and max pass a NaN in their second argument on.
template <class V>
V exp(V x) {
  constexpr Real kLow = kSingle ? -104 : -746, kHigh = kSingle ? 89 : 710;
  const auto [rounded, expm1_r] = exp_parts(V(xsimd::min(V(kHigh), V(xsimd::max(V(kLow), x)))));
  return scale_by_power_of_two(V(expm1_r + V(1)), rounded);
}

/// e^x - 1 for x <= 0, without cancellation near 0.
template <class V>
V expm1_negative(V x) {
  const auto [rounded, expm1_r] = exp_parts(V(xsimd::max(V(Real(-50)), x)));
  const V scale = power_of_two(rounded);
  return mul_add(scale, expm1_r, scale - V(1));
}

/// ln x: NaN below 0, -infinity at 0.
template <class V>
V log(V x) {
  using W = WordsOf<V>;
  constexpr Real kSmallestNormal = kSingle ? Real(0x1p-126) : Real(0x1p-1022);
  constexpr Real kUp = kSingle ? Real(0x1p25) : Real(0x1p54);
  constexpr Word kSqrtHalfBits = kSingle ? Word(0x3F3504F3) : Word(0x3FE6A09E667F3BCD);
  const auto denormal = x < V(kSmallestNormal);
  const V scaled = xsimd::select(denormal, V(x * V(kUp)), x);
  // x = 2^e m with sqrt(1/2) <= m < sqrt(2). The exponent field holds e + bias; a small integer becomes a number
  // when it is put into the mantissa of 2^mantissa.
  const W shifted = bits_as<W>(scaled) + W(kOneBits - kSqrtHalfBits);
  const W field = shifted >> kMantissaBits;
  const W two_power = W(bits_as<Word>(Real(kSingle ? 0x1p23 : 0x1p52)));
  const V bias = xsimd::select(denormal, V(Real(kSingle ? 0x1p23 + 127 + 25 : 0x1p52 + 1023 + 54)),
                               V(Real(kSingle ? 0x1p23 + 127 : 0x1p52 + 1023)));
  const V e = bits_as<V>(W(field | two_power)) - bias;
  const V m = bits_as<V>(W((shifted & W(kMantissaMask)) + W(kSqrtHalfBits)));
  // ln m = 2 atanh s = 2 (s + s^3/3 + s^5/5 + ...) with s = f / (2 + f), f = m - 1. As 2 s = f - s f, this is
  // f - s (f - (2/3 s^2 + 2/5 s^4 + ...)), where the leading term is exact.
  const V f = m - V(1);
  const V s = divide(f, V(f + V(2)));
  const V z = s * s;
  V series;
  if constexpr (kSingle) {
    series = polynomial(z, 2. / 3, 2. / 5, 2. / 7, 2. / 9);
  } else {
    series = polynomial(z, 2. / 3, 2. / 5, 2. / 7, 2. / 9, 2. / 11, 2. / 13, 2. / 15, 2. / 17, 2. / 19, 2. / 21);
  }
  const V tail = mul_add(e, V(kLn2[1]), -(s * neg_mul_add(z, series, f)));
  V y = mul_add(e, V(kLn2[0]), V(f + tail));
  y = xsimd::select(x < V(0), V(Real(__builtin_nan(""))), y);
  y = xsimd::select(x == V(0), V(-kInfinity), y);
  return xsimd::select(x < V(kInfinity), y, x);  // +infinity and NaN are their own logarithms
}

/// ln(1 + u) = 2 atanh s = 2 s (1 + s^2/3 + s^4/5 + ...) with s = u / (2 + u), for 0 <= u <= 1.
template <class V>
V log1p_unit(V u) {
  const V s = divide(u, V(u + V(2)));
  const V z = s * s;
  V series;
  if constexpr (kSingle) {
    series = polynomial(z, 2. / 3, 2. / 5, 2. / 7, 2. / 9, 2. / 11, 2. / 13, 2. / 15);
  } else {
    series = polynomial(z, 2. / 3, 2. / 5, 2. / 7, 2. / 9, 2. / 11, 2. / 13, 2. / 15, 2. / 17, 2. / 19, 2. / 21,
                        2. / 23, 2. / 25, 2. / 27, 2. / 29, 2. / 31, 2. / 33);
  }
  return mul_add(V(s * z), series, V(s + s));
}

template <class V>
struct SinCos {
  V sin, cos;
};

/// sin and cos of r + quarters pi / 2 for |r| <= pi / 4, where `quarters` is an integer held as kRound + integer.
template <class V>
SinCos<V> sincos_reduced(V r, V quarters) {
  using W = WordsOf<V>;
  const V z = r * r;
  V s, c;
  if constexpr (kSingle) {
    s = polynomial(z, -1. / 6, 1. / 120, -1. / 5040, 1. / 362880);
    c = polynomial(z, -1. / 2, 1. / 24, -1. / 720, 1. / 40320, -1. / 3628800);
  } else {
    s = polynomial(z, -1. / 6, 1. / 120, -1. / 5040, 1. / 362880, -1. / 39916800, 1. / 6227020800, -1. / 1307674368000,
                   1. / 355687428096000);
    c = polynomial(z, -1. / 2, 1. / 24, -1. / 720, 1. / 40320, -1. / 3628800, 1. / 479001600, -1. / 87178291200,
                   1. / 20922789888000);
  }
  s = mul_add(V(s * z), r, r);
  c = mul_add(c, z, V(1));
  // An odd number of quarters swaps sine and cosine; bit 1 of quarters, or of quarters + 1, is the sign.
  const W q = bits_as<W>(quarters);
  const auto odd = bits_as<V>(W((q & W(1)) + W(kOneBits))) > V(1);
  const W sin_sign = (q << (8 * sizeof(Real) - 2)) & W(kSignBit);
  const W cos_sign = ((q + W(1)) << (8 * sizeof(Real) - 2)) & W(kSignBit);
  return {bits_as<V>(W(bits_as<W>(V(xsimd::select(odd, c, s))) ^ sin_sign)),
          bits_as<V>(W(bits_as<W>(V(xsimd::select(odd, s, c))) ^ cos_sign))};
}

template <class V>
SinCos<V> sincos(V x) {
  // Beyond this the integers are too large for exact products; libm has the hundreds of bits of pi that takes.
  constexpr Real kLargest = kSingle ? Real(1e4) : Real(1e6);
  const V quarters = mul_add(x, V(Real(0.63661977236758134308)), V(kRound));
  const V n = quarters - V(kRound);
  V r = neg_mul_add(n, V(kHalfPi[0]), x);
  r = neg_mul_add(n, V(kHalfPi[1]), r);
  r = neg_mul_add(n, V(kHalfPi[2]), r);
  SinCos<V> result = sincos_reduced(r, quarters);
  if (xsimd::any(xsimd::abs(x) > V(kLargest))) [[unlikely]] {
    alignas(64) Real lanes[V::size], s[V::size], c[V::size];
    x.store_aligned(lanes);
    for (std::size_t i = 0; i < V::size; ++i) {
      s[i] = kSingle ? __builtin_sinf(static_cast<float>(lanes[i])) : static_cast<Real>(__builtin_sin(lanes[i]));
      c[i] = kSingle ? __builtin_cosf(static_cast<float>(lanes[i])) : static_cast<Real>(__builtin_cos(lanes[i]));
    }
    result = {V::load_aligned(s), V::load_aligned(c)};
  }
  return result;
}

/// sin and cos of 2 pi u for 0 <= u <= 1: the reduction is exact.
template <class V>
SinCos<V> sincos_turns(V u) {
  const V quarters = mul_add(u, V(4), V(kRound));
  const V r = neg_mul_add(V(quarters - V(kRound)), V(Real(0.25)), u) * V(Real(6.28318530717958647692));
  return sincos_reduced(r, quarters);
}

/// The standard normal distribution's function Phi(x) = erfc(-x / sqrt 2) / 2 and density phi(x).
template <class V>
struct Normal {
  V cdf, pdf;
};
template <class V>
Normal<V> normal(V x) {
  // e^(-x^2 / 2), with what x^2 loses by rounding
  const V square = x * x;
  const V lost = mul_add(x, x, -square);
  V e = math::exp(V(square * V(Real(-0.5))));
  e = xsimd::select(square < V(kInfinity), V(neg_mul_add(V(lost * V(Real(0.5))), e, e)), e);
  // erfc(z) = e^(-z^2) P(t) / (z + k) with t = (z - k) / (z + k): P interpolates (z + k) e^(z^2) erfc(z) at the
  // Chebyshev points of 0 <= z <= 10 (k = 3, relative error 5e-9) or 27.5 (k = 4, 6e-18); beyond, e is 0.
  constexpr Real k = kSingle ? 3 : 4;
  const V z = xsimd::min(V(Real(kSingle ? 10 : 27.5)), V(xsimd::abs(x) * V(Real(0.70710678118654752440))));
  const V inverse = divide(V(1), V(z + V(k)));
  const V t = (z - V(k)) * inverse;
  V p;
  if constexpr (kSingle) {
    p = polynomial(t, 1.074006906, -0.88339446, 0.5902284103, -0.3104666589, 0.1195273334, -0.02683621734,
                   -0.001216889072, 0.003077058, -0.000500258783, -0.0003342244062);
  } else {
    p = polynomial(t, 1.095995661000491118, -0.9765487290808821194, 0.773208702265237554, -0.5408538313132207327,
                   0.3308515878779825326, -0.1740109372404252466, 0.07638151491000641608, -0.02637005333254123464,
                   0.006112055647760742106, -0.0002809589342023493423, -0.0004550526352749478539,
                   0.0001768131875167484885, -3.635338935865469231e-6, -1.88621417887503668e-5, 4.694725890285188454e-6,
                   1.426906279643808552e-6, -8.464456189715969199e-7, -7.912789673646786457e-8, 1.240801098592353722e-7,
                   3.526515773317700305e-9, -1.522484788368763481e-8, -6.973176548183896305e-10,
                   8.892365082453873434e-10);
  }
  const V tail = V(Real(0.5)) * e * p * inverse;
  return {xsimd::select(x < V(0), tail, V(V(1) - tail)), e * V(Real(0.39894228040143267794))};
}

}  // namespace math
}  // namespace
}  // namespace rill::simd
