// Registers: the basis of every kernel, and everything that depends on xsimd's version or that xsimd lacks.
//
// The files named *-inl.hpp, and those of the subjects, are compiled once for each instruction set, into one program.
// The linker must never use one set's copy of a function for another, so everything in them is in an anonymous
// namespace and calls no inline functions from elsewhere but xsimd's, whose types name the instruction set.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>
#include <xsimd/xsimd.hpp>

#include "autodiff/real.hpp"

namespace rill::simd {
namespace {

/// A register of Reals.
template <class Arch>
using Reals = xsimd::batch<Real, Arch>;
/// Unsigned integers of the size of a Real, and a register of them.
using Word = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;
template <class V>
using WordsOf = xsimd::batch<Word, typename V::arch_type>;
/// A register's number of lanes, as an Index.
template <class V>
constexpr Index kLanes = static_cast<Index>(V::size);

constexpr Real kInfinity = __builtin_huge_val();
constexpr int kMantissaBits = sizeof(Real) == 4 ? 23 : 52;

/// The same bits as another register type (xsimd's bitwise_cast has changed its signature).
template <class To, class From>
To bits_as(From from) {
  return __builtin_bit_cast(To, from);
}

// ---------------------------------------------------------------------------------------------------------------------
// Loops that the compiler must unroll, because they index registers

template <int value>
struct Constant {
  constexpr operator int() const { return value; }
};

template <class F, int... i>
[[gnu::always_inline]] inline void unroll(F&& f, std::integer_sequence<int, i...>) {
  (f(Constant<i>{}), ...);
}
/// f(0), f(1), ..., f(n - 1), where each argument is a constant expression.
template <int n, class F>
[[gnu::always_inline]] inline void unroll(F&& f) {
  unroll(f, std::make_integer_sequence<int, n>{});
}

// ---------------------------------------------------------------------------------------------------------------------
// Arithmetic

/// a b + c, rounded once where the CPU can. xsimd 8.1 rounds twice on AVX-512.
template <class V>
V mul_add(V a, V b, V c) {
#ifdef __AVX512F__
  if constexpr (sizeof(typename V::value_type) == 4) {
    return V(_mm512_fmadd_ps(a, b, c));
  } else {
    return V(_mm512_fmadd_pd(a, b, c));
  }
#else
  return xsimd::fma(a, b, c);
#endif
}

/// c - a b
template <class V>
V neg_mul_add(V a, V b, V c) {
#ifdef __AVX512F__
  if constexpr (sizeof(typename V::value_type) == 4) {
    return V(_mm512_fnmadd_ps(a, b, c));
  } else {
    return V(_mm512_fnmadd_pd(a, b, c));
  }
#else
  return xsimd::fnma(a, b, c);
#endif
}

/// Whether mul_add rounds once.
#if defined(__FMA__) || defined(__aarch64__)
constexpr bool kFused = true;
#else
constexpr bool kFused = false;
#endif

// Correctly rounded division and square root: on ARM, xsimd 8.1 only refines float estimates.
template <class V>
V divide(V a, V b) {
#ifdef __aarch64__
  if constexpr (sizeof(Real) == 4) return V(vdivq_f32(a, b));
#endif
  return a / b;
}
/// x / n, faster than a division, where share = 1 / n, rounded: the remainder corrects the product (Markstein 1990).
/// NaN where x is infinite.
template <class V>
V divide_by(V x, V n, V share) {
  if constexpr (kFused) {
    const V quotient = x * share;
    return mul_add(neg_mul_add(quotient, n, x), share, quotient);
  } else {
    return divide(x, n);
  }
}
template <class V>
V square_root(V x) {
#ifdef __aarch64__
  if constexpr (sizeof(Real) == 4) return V(vsqrtq_f32(x));
#endif
  return xsimd::sqrt(x);
}

/// Whether all lanes are finite.
template <class V>
bool is_finite(V x) {
  return xsimd::all(xsimd::abs(x) < V(kInfinity));
}

/// NaN if either is. b is taken when the comparison is false, as it is when b is NaN.
template <class V>
V maximum(V a, V b) {
  return xsimd::select(xsimd::isnan(a), a, V(xsimd::select(a > b, a, b)));
}

/// a + b = sum + rest, exactly (Knuth 1969, section 4.2.2).
template <class V>
struct ExactSum {
  V sum, rest;
};
template <class V>
ExactSum<V> exact_sum(V a, V b) {
  const V sum = a + b, b_part = sum - a;
  return {sum, (a - (sum - b_part)) + (b - b_part)};
}

/// a ^ b ^ c of integers
template <class W>
W xor3(W a, W b, W c) {
#ifdef __AVX512F__
  return W(_mm512_ternarylogic_epi64(a, b, c, 0x96));
#else
  return a ^ b ^ c;
#endif
}

/// c_0 + x (c_1 + c_2 x + ...), n >= 3. In the parentheses, even and odd terms each by Horner's rule in x^2: two chains
/// of operations, each half as long as one. c_0 comes last, so that for small x only that addition matters.
template <class V, int n>
V polynomial(V x, const Real (&c)[n]) {
  const V square = x * x;
  V sum[2];
  sum[(n - 1) % 2] = V(c[n - 1]);
  sum[n % 2] = V(c[n - 2]);
  unroll<n - 3>([&](auto i) {
    constexpr int k = n - 3 - i;
    sum[k % 2] = mul_add(sum[k % 2], square, V(c[k]));
  });
  return mul_add(mul_add(sum[0], x, sum[1]), x, V(c[0]));
}

// ---------------------------------------------------------------------------------------------------------------------
// Loops over memory: whole registers, then the tail

/// All lanes of a register.
template <class V>
struct Whole {
  static V load(const Real* x) { return V::load_unaligned(x); }
  static void store(Real* y, V v) { v.store_unaligned(y); }
  static V keep(V v, V) { return v; }
};

/// The first `count` lanes, 0 < count < V::size; memory past them is neither read nor written. xsimd 8.1 has no masks.
template <class V>
class Head {
 public:
  explicit Head(Index count) : count_(count) {}

  /// The other lanes are zero.
  V load(const Real* x) const {
#if defined(__AVX512F__)
    if constexpr (sizeof(Real) == 4) {
      return V(_mm512_maskz_loadu_ps(mask(), x));
    } else {
      return V(_mm512_maskz_loadu_pd(mask(), x));
    }
#elif defined(__AVX2__)
    if constexpr (sizeof(Real) == 4) {
      return V(_mm256_maskload_ps(x, mask()));
    } else {
      return V(_mm256_maskload_pd(x, mask()));
    }
#else
    alignas(64) Real lanes[V::size] = {};
    for (Index i = 0; i < kLanes<V> - 1 && i < count_; ++i) lanes[i] = x[i];  // the first bound is for GCC's warnings
    return V::load_aligned(lanes);
#endif
  }

  void store(Real* y, V v) const {
#if defined(__AVX512F__)
    if constexpr (sizeof(Real) == 4) {
      _mm512_mask_storeu_ps(y, mask(), v);
    } else {
      _mm512_mask_storeu_pd(y, mask(), v);
    }
#elif defined(__AVX2__)
    if constexpr (sizeof(Real) == 4) {
      _mm256_maskstore_ps(y, mask(), v);
    } else {
      _mm256_maskstore_pd(y, mask(), v);
    }
#else
    alignas(64) Real lanes[V::size];
    v.store_aligned(lanes);
    for (Index i = 0; i < kLanes<V> - 1 && i < count_; ++i) y[i] = lanes[i];
#endif
  }

  /// v in the first lanes, `other` in the rest.
  V keep(V v, V other) const {
    alignas(64) static constexpr Real kLane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return xsimd::select(V::load_aligned(kLane) < V(static_cast<Real>(count_)), v, other);
  }

 private:
#if defined(__AVX512F__)
  auto mask() const {
    return static_cast<std::conditional_t<sizeof(Real) == 4, __mmask16, __mmask8>>((1u << count_) - 1);
  }
#elif defined(__AVX2__)
  // All bits set in the first `count` lanes: a window into a table, shifted by the count.
  __m256i mask() const {
    alignas(64) static constexpr Word kSlide[16] = {Word(-1), Word(-1), Word(-1), Word(-1),
                                                    Word(-1), Word(-1), Word(-1), Word(-1)};
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kSlide + 8 - count_));
  }
#endif
  Index count_;
};

/// Calls body(i, part) for i = 0, L, 2L, ... below n, where `part` says which lanes of the register at i are used.
template <class V, class Body>
void for_registers(Index n, const Body& body) {
  Index i = 0;
  for (; i + kLanes<V> <= n; i += kLanes<V>) body(i, Whole<V>{});
  if (i < n) body(i, Head<V>(n - i));
}

// ---------------------------------------------------------------------------------------------------------------------
// Across lanes

/// a, b -> a_0 b_0 a_1 b_1 ... in two registers. xsimd's zip_lo and zip_hi do this within 128-bit lanes in some
/// versions and across the register in others.
template <class V>
void interleave(V& a, V& b) {
#if defined(__AVX512F__)
  if constexpr (sizeof(typename V::value_type) == 4) {
    const auto low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const auto high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const __m512 x = a, y = b;
    a = V(_mm512_permutex2var_ps(x, low, y));
    b = V(_mm512_permutex2var_ps(x, high, y));
  } else {
    const auto low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    const auto high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    const __m512d x = a, y = b;
    a = V(_mm512_permutex2var_pd(x, low, y));
    b = V(_mm512_permutex2var_pd(x, high, y));
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(typename V::value_type) == 4) {
    const __m256 x = a, y = b;
    const auto low = _mm256_unpacklo_ps(x, y), high = _mm256_unpackhi_ps(x, y);
    a = V(_mm256_permute2f128_ps(low, high, 0x20));
    b = V(_mm256_permute2f128_ps(low, high, 0x31));
  } else {
    const __m256d x = a, y = b;
    const auto low = _mm256_unpacklo_pd(x, y), high = _mm256_unpackhi_pd(x, y);
    a = V(_mm256_permute2f128_pd(low, high, 0x20));
    b = V(_mm256_permute2f128_pd(low, high, 0x31));
  }
#else
  const V low = xsimd::zip_lo(a, b);
  b = xsimd::zip_hi(a, b);
  a = low;
#endif
}

/// Combines all lanes by an associative and commutative operation, with the result in every lane. Interleaving a
/// register with itself pairs the lanes of its halves.
template <class V, class Op>
V fold_lanes(V v, Op op) {
  for (Index width = kLanes<V>; width > 1; width /= 2) {
    V low = v, high = v;
    interleave(low, high);
    v = op(low, high);
  }
  return v;
}

template <class V>
typename V::value_type first_lane(V v) {
  const typename V::register_type lanes = v;
  return lanes[0];
}

}  // namespace
}  // namespace rill::simd
