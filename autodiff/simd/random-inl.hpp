// Philox4x32-10 (Salmon et al. 2011), many blocks at once, and the numbers made from its words.
#pragma once

#include "autodiff/simd/math-inl.hpp"

namespace rill::simd {
namespace {

constexpr int kTileWords = 4 * kRandomTileBlocks;

/// The products of the low halves of 64-bit lanes, which xsimd does not offer.
template <class W>
W multiply_low_halves(W a, W b) {
#if defined(__AVX512F__)
  return W(_mm512_mul_epu32(bits_as<__m512i>(a), bits_as<__m512i>(b)));
#elif defined(__AVX2__)
  return W(_mm256_mul_epu32(bits_as<__m256i>(a), bits_as<__m256i>(b)));
#elif defined(__SSE2__)
  return W(_mm_mul_epu32(bits_as<__m128i>(a), bits_as<__m128i>(b)));
#else
  return W(vmull_u32(vmovn_u64(bits_as<uint64x2_t>(a)), vmovn_u64(bits_as<uint64x2_t>(b))));
#endif
}

/// Four words of each block: a block per 64-bit lane, in whose low half the word stands. The high halves hold
/// remains of products, which nothing looks at.
template <class W>
struct Blocks {
  W c0, c1, c2, c3;
};

template <class W>
Blocks<W> philox(W counter, const RandomState& state) {
  const W multiplier0(std::uint64_t{0xD2511F53}), multiplier1(std::uint64_t{0xCD9E8D57});
  auto k0 = static_cast<std::uint32_t>(state.seed), k1 = static_cast<std::uint32_t>(state.seed >> 32);
  Blocks<W> x{counter, counter >> 32, W(state.stream), W(state.stream >> 32)};
  unroll<10>([&](auto) {
    const W p0 = multiply_low_halves(multiplier0, x.c0), p1 = multiply_low_halves(multiplier1, x.c2);
    x = {(p1 >> 32) ^ x.c1 ^ W(std::uint64_t{k0}), p1, (p0 >> 32) ^ x.c3 ^ W(std::uint64_t{k1}), p0};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  });
  return x;
}

/// The words of one tile. Even blocks and odd blocks are computed in registers of their own, so that putting the low
/// halves side by side gives 32-bit lanes in the order of the blocks.
template <class V>
void philox_tile(const RandomState& state, std::uint32_t* w) {
  using W = xsimd::batch<std::uint64_t, typename V::arch_type>;
  constexpr int L = W::size;
  alignas(64) static constexpr std::uint64_t kEven[8] = {0, 2, 4, 6, 8, 10, 12, 14};
  const W low_half(std::uint64_t{0xFFFFFFFF});
  const auto put = [&](W even, W odd, std::uint32_t* y) {
    const W both = (even & low_half) | (odd << 32);
    __builtin_memcpy(y, &both, sizeof both);
  };
  for (int b = 0; b < kRandomTileBlocks; b += 2 * L) {
    const W counter = W(state.counter + static_cast<std::uint64_t>(b)) + W::load_aligned(kEven);
    const Blocks<W> even = philox(counter, state), odd = philox(W(counter + W(std::uint64_t{1})), state);
    put(even.c0, odd.c0, w + b);
    put(even.c1, odd.c1, w + 16 + b);
    put(even.c2, odd.c2, w + 32 + b);
    put(even.c3, odd.c3, w + 48 + b);
  }
}

/// Exactly the number v[i] in (0, 1] and u[i] in [0, 1) that kernels.hpp defines, for a register of i.
template <class V>
struct Uniform {
#ifdef RILL_REAL_DOUBLE
  static V half_open(const std::uint32_t* w) {
    alignas(64) Real u[V::size];
    for (std::size_t i = 0; i < V::size; ++i) {
      u[i] = static_cast<Real>((std::uint64_t{w[i]} << 32 | w[i + 32]) >> 11) * 0x1p-53;
    }
    return V::load_aligned(u);
  }
  static V positive(const std::uint32_t* w) { return half_open(w) + V(0x1p-53); }
#else
  // A word of at most 24 bits, as a float: signed conversion is the one all sets have.
  using Signed = xsimd::batch<std::int32_t, typename V::arch_type>;
  static V small(WordsOf<V> w) { return xsimd::to_float(bits_as<Signed>(w)); }
  static V half_open(const std::uint32_t* w) { return small(WordsOf<V>::load_unaligned(w) >> 8) * V(0x1p-24f); }
  // The sum of the halves rounds once, as the conversion of all 32 bits does.
  static V positive(const std::uint32_t* w) {
    const auto words = WordsOf<V>::load_unaligned(w);
    const V word = small(words >> 16) * V(65536) + small(words & WordsOf<V>(std::uint32_t{0xFFFF}));
    return (word + V(1)) * V(0x1p-32f);
  }
#endif
};

template <class V>
struct UniformTile {
  using Number = Real;
  static constexpr int kSize = kRandomTile;
  static void make(const std::uint32_t* w, Real* u) {
    for (int i = 0; i < kSize; i += V::size) Uniform<V>::half_open(w + i).store_unaligned(u + i);
  }
};

template <class V>
struct NormalTile {
  using Number = Real;
  static constexpr int kSize = kRandomTile;
  static void make(const std::uint32_t* w, Real* z) {
    constexpr int half = kSize / 2;
    for (int i = 0; i < half; i += V::size) {
      const V radius = square_root(V(V(-2) * math::log(Uniform<V>::positive(w + i))));
      const auto [sin, cos] = math::sincos_turns(Uniform<V>::half_open(w + i + half));
      V(radius * cos).store_unaligned(z + i);
      V(radius * sin).store_unaligned(z + i + half);
    }
  }
};

struct BitsTile {
  using Number = std::uint32_t;
  static constexpr int kSize = kTileWords;
  static void make(const std::uint32_t* w, std::uint32_t* y) { __builtin_memcpy(y, w, sizeof(*y) * kSize); }
};

/// Tile after tile; of the last one, as much as is asked for.
template <class V, class Tile>
void random(RandomState state, Index n, typename Tile::Number* y) noexcept {
  alignas(64) std::uint32_t w[kTileWords];
  for (; n >= Tile::kSize; n -= Tile::kSize, y += Tile::kSize, state.counter += kRandomTileBlocks) {
    philox_tile<V>(state, w);
    Tile::make(w, y);
  }
  if (n > 0) {
    typename Tile::Number numbers[Tile::kSize];
    philox_tile<V>(state, w);
    Tile::make(w, numbers);
    for (Index i = 0; i < n; ++i) y[i] = numbers[i];
  }
}

}  // namespace
}  // namespace rill::simd
