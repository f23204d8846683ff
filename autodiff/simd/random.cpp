// Philox4x32-10 (Salmon et al. 2011), many blocks at once, and the numbers made from its words.
#include "autodiff/simd/random.hpp"

#include "autodiff/simd/set-inl.hpp"
#include "autodiff/simd/trigonometry-inl.hpp"

namespace rill::simd {
namespace {

constexpr int kTileWords = 4 * kRandomTileBlocks;

/// The products of the low halves of 64-bit lanes, which xsimd does not provide.
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

/// The keys of the ten rounds: two Weyl sequences that start at the halves of the seed.
struct RoundKeys {
  explicit RoundKeys(std::uint64_t seed) {
    auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9, k1 += 0xBB67AE85) key[round][0] = k0, key[round][1] = k1;
  }
  std::uint64_t key[10][2];
};

/// The four words of each block: one block per 64-bit lane, with the word in the low half. The high halves hold unused
/// parts of products.
template <class W>
struct Blocks {
  W c0, c1, c2, c3;
};

/// The number of registers of blocks that go through the rounds together. One round is a chain of some six cycles
/// (product, shift, xor) and six instructions, of which up to four start per cycle: so four registers of blocks keep
/// the CPU busy, if their 16 words fit into registers.
template <class W>
constexpr int kInStep = sizeof(W) == 64 ? 4 : 2;

/// Turns the counters in c0 and c1 and the stream in c2 and c3 into random words.
template <class W>
[[gnu::always_inline]] inline void philox(const RoundKeys& keys, Blocks<W> (&x)[kInStep<W>]) {
  const W multiplier0(std::uint64_t{0xD2511F53}), multiplier1(std::uint64_t{0xCD9E8D57});
  for (const auto& key : keys.key) {
    const W k0(key[0]), k1(key[1]);
    unroll<kInStep<W>>([&](auto i) {
      const W p0 = multiply_low_halves(multiplier0, x[i].c0), p1 = multiply_low_halves(multiplier1, x[i].c2);
      x[i] = {xor3(W(p1 >> 32), x[i].c1, k0), p1, xor3(W(p0 >> 32), x[i].c3, k1), p0};
    });
  }
}

constexpr int kTilesAtOnce = 2;

/// The words of two tiles, one after the other. Even and odd blocks are computed in separate registers, so that merging
/// their low halves gives 32-bit lanes in the order of the blocks.
template <class V>
[[gnu::always_inline]] inline void philox_tiles(const RandomState& state, const RoundKeys& keys, std::uint32_t* w) {
  using W = xsimd::batch<std::uint64_t, typename V::arch_type>;
  constexpr int kPair = 2 * W::size;  // blocks in one register of even and one of odd blocks
  alignas(64) static constexpr std::uint64_t kEven[8] = {0, 2, 4, 6, 8, 10, 12, 14};
  const W even_blocks = W::load_aligned(kEven);
  const W low_half(std::uint64_t{0xFFFFFFFF});
  for (int b = 0; b < kTilesAtOnce * kRandomTileBlocks; b += kInStep<W> / 2 * kPair) {
    Blocks<W> x[kInStep<W>];
    unroll<kInStep<W>>([&](auto i) {
      const std::uint64_t first = state.counter + static_cast<std::uint64_t>(b + i / 2 * kPair + i % 2);
      const W counter = W(first) + even_blocks;
      x[i] = {counter, counter >> 32, W(state.stream), W(state.stream >> 32)};
    });
    philox(keys, x);
    unroll<kInStep<W> / 2>([&](auto i) {
      const int block = b + i * kPair;
      std::uint32_t* tile = w + block / kRandomTileBlocks * kTileWords + block % kRandomTileBlocks;
      const auto put = [&](W even, W odd, std::uint32_t* y) {
        const W both = (even & low_half) | (odd << 32);
        __builtin_memcpy(y, &both, sizeof both);
      };
      const Blocks<W>&even = x[2 * i], &odd = x[2 * i + 1];
      put(even.c0, odd.c0, tile);
      put(even.c1, odd.c1, tile + 16);
      put(even.c2, odd.c2, tile + 32);
      put(even.c3, odd.c3, tile + 48);
    });
  }
}

/// The numbers v[i] in (0, 1] and u[i] in [0, 1) exactly as random.hpp defines them, for a register of i.
template <class V>
struct Uniform {
#ifdef RILL_REAL_DOUBLE
  static V half_open(const std::uint32_t* w) {
    const V high = small(w), low = small(w + 32, 11);
    return mul_add(high, V(0x1p-32), V(low * V(0x1p-53)));  // exact: 32 and 21 bits
  }
  static V positive(const std::uint32_t* w) { return half_open(w) + V(0x1p-53); }
  // Words, shifted right, as numbers: put into the mantissa of 2^52.
  static V small(const std::uint32_t* w, int shift = 0) {
    alignas(64) std::uint64_t wide[V::size];
    for (std::size_t i = 0; i < V::size; ++i) wide[i] = w[i];
    const auto words = WordsOf<V>::load_aligned(wide) >> shift;
    return bits_as<V>(WordsOf<V>(words | WordsOf<V>(bits_as<std::uint64_t>(0x1p52)))) - V(0x1p52);
  }
#else
  // A word of at most 24 bits, as a float: signed conversion is what all instruction sets have.
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
      const V radius = square_root(V(V(-2) * math::log_of_normal(Uniform<V>::positive(w + i))));
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

/// Writes tiles one after the other, and only the requested part of the last ones.
template <class V, class Tile>
[[gnu::flatten]] void random(RandomState state, Index n, typename Tile::Number* y) noexcept {
  constexpr Index kNumbers = kTilesAtOnce * Tile::kSize;
  const RoundKeys keys(state.seed);
  const auto make = [&](typename Tile::Number* numbers) {
    alignas(64) std::uint32_t w[kTilesAtOnce * kTileWords];
    philox_tiles<V>(state, keys, w);
    for (int i = 0; i < kTilesAtOnce; ++i) Tile::make(w + i * kTileWords, numbers + i * Tile::kSize);
  };
  for (; n >= kNumbers; n -= kNumbers, y += kNumbers, state.counter += kTilesAtOnce * kRandomTileBlocks) make(y);
  if (n > 0) {
    typename Tile::Number numbers[kNumbers];
    make(numbers);
    for (Index i = 0; i < n; ++i) y[i] = numbers[i];
  }
}

}  // namespace

namespace RILL_SET {

extern constinit const RandomKernels random_kernels = {
    .random_bits = random<Registers, BitsTile>,
    .random_uniform = random<Registers, UniformTile<Registers>>,
    .random_normal = random<Registers, NormalTile<Registers>>,
};

}

}  // namespace rill::simd
