// Elementary functions of a register, to within the errors that kernels.hpp states.
//
// Each one reduces its argument to a small interval and evaluates a polynomial there: the minimax polynomial of its
// degree among those whose coefficients are of the type in use (Brisebarre and Chevillard, "Efficient polynomial
// L-infinity approximations", 2007). Comments give the series that it approximates.
#pragma once

#include "autodiff/simd/batch-inl.hpp"

namespace rill::simd {
namespace {

constexpr bool kSingle = sizeof(Real) == 4;

// A namespace, so that calls name it: otherwise argument-dependent lookup would prefer xsimd's exp to ours.
namespace math {

// Adding 1.5 * 2^mantissa to a small x rounds it to an integer, which the low bits of the sum then hold.
constexpr Real kRound = kSingle ? Real(0x1.8p23) : Real(0x1.8p52);
constexpr Word kOneBits = kSingle ? Word(0x3F800000) : Word(0x3FF0000000000000);
constexpr Word kMantissaMask = (Word(1) << kMantissaBits) - 1;
constexpr Word kSignBit = Word(1) << (8 * sizeof(Real) - 1);

// ln 2 in two pieces: the products of the leading one with a small integer are exact (Cody and Waite 1980).
constexpr Real kLn2[2] = {kSingle ? Real(0x1.628p-1) : 0x1.62e42fee00000p-1,
                          kSingle ? Real(0.00076436805994530941723) : Real(1.9082149292705878161e-10)};

/// The sign bits of x, and x with sign bits flipped.
template <class V>
WordsOf<V> sign_bits(V x) {
  return bits_as<WordsOf<V>>(x) & WordsOf<V>(kSignBit);
}
template <class V>
V flip_sign(V x, WordsOf<V> signs) {
  return bits_as<V>(WordsOf<V>(bits_as<WordsOf<V>>(x) ^ signs));
}

/// a b = high + low, exactly but for underflow.
template <class V>
struct Product {
  V high, low;
};
template <class V>
Product<V> exact_product(V a, V b) {
  const V high = a * b;
  if constexpr (kFused) {
    return {high, mul_add(a, b, -high)};
  } else {
    // Halves whose products are exact (Dekker 1971); factors up to 2^100 do not overflow.
    const auto upper_half = [](V x) {
      const V big = x * V(kSingle ? Real(0x1p12 + 1) : Real(0x1p27 + 1));
      return V(big - (big - x));
    };
    const V a1 = upper_half(a), b1 = upper_half(b), a2 = a - a1, b2 = b - b1;
    return {high, a2 * b2 - (((high - a1 * b1) - a2 * b1) - a1 * b2)};
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The exponential function

/// 2^n for an integer n given as kRound + n, if 2^n is a normal number: moves n into the exponent.
template <class V>
V power_of_two(V rounded) {
  using W = WordsOf<V>;
  return bits_as<V>(W((bits_as<W>(rounded) << kMantissaBits) + W(kOneBits)));
}

/// 2^n x for n = rounded - kRound, rounded once where the result is denormal.   2^-20 <= |x| <= 2^20 or x = n = 0
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
  using W = WordsOf<V>;
  constexpr Real kSafe = kSingle ? 100 : 1000;
  if (xsimd::all(xsimd::abs(n) <= V(kSafe))) [[likely]] {
    return bits_as<V>(W(bits_as<W>(x) + (bits_as<W>(rounded) << kMantissaBits)));
  }
  // Two factors, because 2^n itself may be infinite or denormal.
  const V half = mul_add(n, V(Real(0.5)), V(kRound));
  const V rest = n - (half - V(kRound)) + V(kRound);
  return x * power_of_two(half) * power_of_two(rest);
#endif
}

/// x + low = n ln 2 + r with |r| <= ln 2 / 2, where `rounded` is kRound + n.
template <class V>
struct Reduced {
  V rounded, r;
};
template <class V>
Reduced<V> reduce_by_ln2(V x) {
  const V rounded = mul_add(x, V(Real(1.4426950408889634074)), V(kRound));
  const V n = rounded - V(kRound);
  return {rounded, neg_mul_add(n, V(kLn2[1]), neg_mul_add(n, V(kLn2[0]), x))};
}
template <class V>
Reduced<V> reduce_by_ln2(Product<V> x) {
  const auto [rounded, r] = reduce_by_ln2(x.high);
  return {rounded, r + x.low};
}

/// e^r - 1 for |r| <= ln 2 / 2:   r + r^2 (1/2! + r/3! + r^2/4! + ...)
template <class V>
V expm1_reduced(V r) {
  V series;
  if constexpr (kSingle) {
    series = polynomial(r, {0x1p-1, 0x1.5554dcp-3, 0x1.5554e8p-5, 0x1.120c38p-7, 0x1.6d4e78p-10});
  } else {
    series = polynomial(r, {0x1.0000000000001p-1, 0x1.5555555555558p-3, 0x1.5555555553cb8p-5, 0x1.111111110f8cbp-7,
                            0x1.6c16c178bac58p-10, 0x1.a01a01afc2249p-13, 0x1.a019b877dd29fp-16, 0x1.71ddf762c3ce8p-19,
                            0x1.289221116d37bp-22, 0x1.af620c5ddb50cp-26});
  }
  return mul_add(V(r * r), series, r);
}

/// a e^x = 2^n y, for a factor that must be applied before the scaling rounds.
template <class V>
struct Scaled {
  V rounded, y;
};
template <class V, class X>
Scaled<V> times_exp(V a, X x) {
  const auto [rounded, r] = reduce_by_ln2(x);
  return {rounded, mul_add(a, expm1_reduced(r), a)};
}

/// e^x. Beyond the bounds the result is 0 or infinite; min and max pass on a NaN in their second argument.
template <class V>
V exp(V x) {
  constexpr Real kLow = kSingle ? -104 : -746, kHigh = kSingle ? 89 : 710;
  const auto [rounded, r] = reduce_by_ln2(V(xsimd::min(V(kHigh), V(xsimd::max(V(kLow), x)))));
  return scale_by_power_of_two(V(expm1_reduced(r) + V(1)), rounded);
}

/// 2^x for x <= 1; 0 where that is below 2^-126.5 (double: 2^-1022.5), and NaN of NaN. Cheaper than exp: the reduction
/// is one exact step, there is no upper bound, and the rounding directly gives the result's exponent.
template <class V>
V exp2_of_negative(V x) {
  using W = WordsOf<V>;
  constexpr Real kBias = kSingle ? 127 : 1023;
  const V bounded = xsimd::max(V(-kBias), x);
  const V rounded = bounded + V(kRound + kBias);  // the low bits: n + bias, which is 0 at the lower bound
  const V r = bounded - (rounded - V(kRound + kBias));
  const V scale = bits_as<V>(W(bits_as<W>(rounded) << kMantissaBits));
  if constexpr (kSingle) {
    return scale * polynomial(r, {1, 0x1.62e432p-1, 0x1.ebfbe6p-3, 0x1.c6ada4p-5, 0x1.3b21aap-7, 0x1.5fa818p-10,
                                  0x1.4c99dep-13});
  } else {
    return scale *
           polynomial(r, {1, 0x1.62e42fefa39f3p-1, 0x1.ebfbdff82c599p-3, 0x1.c6b08d7048d59p-5, 0x1.3b2ab6fba1c04p-7,
                          0x1.5d87fe7dd07bfp-10, 0x1.4309130ecff81p-13, 0x1.ffcbde64290d9p-17, 0x1.62bfb7c319d3cp-20,
                          0x1.b569ad16c598fp-24, 0x1.e6515182c7e93p-28, 0x1.7dc0212ac3268p-32});
  }
}

/// e^x - 1 for x <= 0, without cancellation near 0.
template <class V>
V expm1_negative(V x) {
  const auto [rounded, r] = reduce_by_ln2(V(xsimd::max(V(Real(-50)), x)));
  const V scale = power_of_two(rounded);
  return mul_add(scale, expm1_reduced(r), scale - V(1));
}

/// e^r = (even + odd) / (even - odd): a Pade approximant, for functions that divide anyway, which saves a second
/// division or a longer polynomial. For float, even is 1 + r^2/10, and the error r^7/100800; `odd` has the sign of r.
template <class V>
struct Pade {
  V even, odd;
};
template <class V>
Pade<V> exp_pade(V r) {
  const V z = r * r;
  if constexpr (kSingle) {
    return {mul_add(z, V(Real(1. / 10)), V(1)), r * mul_add(z, V(Real(1. / 120)), V(Real(0.5)))};
  } else {
    return {polynomial(z, {1, 75600. / 665280, 840. / 665280, 1. / 665280}),
            r * polynomial(z, {0.5, 10080. / 665280, 42. / 665280})};
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The logarithm

/// (2 atanh s - 2 s) / s^3 = 2/3 + 2/5 z + 2/7 z^2 + ... with z = s^2, for 0 <= z <= (sqrt 2 - 1)^2 / (sqrt 2 + 1)^2
template <class V>
V atanh_series(V z) {
  if constexpr (kSingle) {
    return polynomial(z, {0x1.55555cp-1, 0x1.997b8ap-2, 0x1.2ef9dcp-2});
  } else {
    return polynomial(z, {0x1.5555555555558p-1, 0x1.999999999528ep-2, 0x1.2492492e01477p-2, 0x1.c71c62ce93f1ap-3,
                          0x1.7462bb6a56636p-3, 0x1.39fd7ee829188p-3, 0x1.2b631cf7361bdp-3});
  }
}

/// The same for 0 <= z <= 1/9.
template <class V>
V atanh_series_to_third(V z) {
  if constexpr (kSingle) {
    return polynomial(z, {0x1.55554cp-1, 0x1.99ae06p-2, 0x1.211636p-2, 0x1.134bc6p-2});
  } else {
    return polynomial(z, {0x1.5555555555555p-1, 0x1.9999999999bacp-2, 0x1.2492492473d78p-2, 0x1.c71c71e0f0209p-3,
                          0x1.745d112e02ba6p-3, 0x1.3b149266d2c1dp-3, 0x1.10fc24a1ce0bep-3, 0x1.e470c1c9ce91p-4,
                          0x1.94e6cbfe283e9p-4, 0x1.1896c7e93099bp-3, -0x1.26c99268fa732p-4, 0x1.74d7a4bd445cep-2});
  }
}

constexpr Real kSmallestNormal = kSingle ? Real(0x1p-126) : Real(0x1p-1022);

/// ln x for a normal number x > 0.
template <class V>
V log_of_normal(V x) {
  using W = WordsOf<V>;
  constexpr Word kSqrtHalfBits = kSingle ? Word(0x3F3504F3) : Word(0x3FE6A09E667F3BCD);
  constexpr Real kTwoPower = kSingle ? Real(0x1p23) : Real(0x1p52);
  constexpr Real kBias = kSingle ? 127 : 1023;
  // x = 2^e m with sqrt(1/2) <= m < sqrt(2). The exponent field holds e + bias; a small integer becomes a
  // floating-point number when it is put into the mantissa of 2^mantissa.
  const W shifted = bits_as<W>(x) + W(kOneBits - kSqrtHalfBits);
  const V e = bits_as<V>(W((shifted >> kMantissaBits) | W(bits_as<Word>(kTwoPower)))) - V(kTwoPower + kBias);
  const V m = bits_as<V>(W((shifted & W(kMantissaMask)) + W(kSqrtHalfBits)));
  // ln m = 2 atanh s with s = f / (2 + f), f = m - 1. As 2 s = f - s f, this is f - s (f - (2/3 s^2 + 2/5 s^4 + ...)),
  // where the leading term is exact.
  const V f = m - V(1);
  const V s = divide(f, V(f + V(2)));
  const V z = s * s;
  const V tail = neg_mul_add(s, neg_mul_add(z, atanh_series(z), f), V(e * V(kLn2[1])));
  return mul_add(e, V(kLn2[0]), V(f + tail));
}

/// ln x: NaN below 0, -infinity at 0.
template <class V>
V log(V x) {
  if (xsimd::all((x >= V(kSmallestNormal)) & (x < V(kInfinity)))) [[likely]]
    return log_of_normal(x);
  constexpr Real kUp = kSingle ? Real(0x1p25) : Real(0x1p54),
                 kLogUp = kSingle ? 25 * 0.69314718055994530942 : 54 * 0.69314718055994530942;
  const auto denormal = x < V(kSmallestNormal);
  V y = log_of_normal(V(xsimd::select(denormal, V(x * V(kUp)), x))) - V(xsimd::select(denormal, V(kLogUp), V(0)));
  y = xsimd::select(x < V(0), V(Real(__builtin_nan(""))), y);
  y = xsimd::select(x == V(0), V(-kInfinity), y);
  return xsimd::select(x < V(kInfinity), y, x);  // +infinity and NaN are their own logarithms
}

}  // namespace math
}  // namespace
}  // namespace rill::simd
