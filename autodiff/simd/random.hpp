// Random numbers, in tiles.
#pragma once

#include <cstdint>

#include "autodiff/random_state.hpp"
#include "autodiff/real.hpp"

namespace rill::simd {

/// Philox blocks in a tile, by which RandomState::counter advances.
inline constexpr int kRandomTileBlocks = 16;
/// Numbers in a tile.
inline constexpr int kRandomTile = sizeof(Real) == 4 ? 64 : 32;

struct RandomKernels {
  // Random numbers, in tiles of kRandomTileBlocks Philox4x32-10 blocks. Block b of a tile (b < 16) has the 128-bit
  // counter (counter + b, stream) and the key `seed`; its word j is the tile's word w[16 j + b]. So a tile is 64
  // words w, and the same on every instruction set. n numbers use ceil(n / numbers per tile) tiles.
  void (*random_bits)(RandomState, Index n, std::uint32_t* y) noexcept;  ///< 64 words per tile
  /// Uniform in [0, 1), the same bits on every instruction set. float: 64 per tile, u[i] = (w[i] >> 8) 2^-24;
  /// double: 32 per tile, u[i] = (2^32 w[i] + w[i + 32] >> 11) 2^-53.
  void (*random_uniform)(RandomState, Index n, Real* y) noexcept;
  /// Standard normal by Box-Muller (1958), as many per tile as uniforms, T: for i < T / 2
  ///   (z[i], z[i + T/2]) = sqrt(-2 ln v[i]) (cos, sin)(2 pi u[i + T/2])
  /// with v in (0, 1]. float: v[i] = (w[i] + 1) 2^-32, computed in float; double: v[i] = u[i] + 2^-53.
  void (*random_normal)(RandomState, Index n, Real* y) noexcept;
};

}  // namespace rill::simd

#ifdef RILL_REFERENCE
// In plain C++, one number at a time.
#include "autodiff/simd/reference-inl.hpp"

namespace rill::simd::scalar {
namespace {

constexpr Real kPi = Real(3.14159265358979323846);

constexpr int kTileWords = 4 * kRandomTileBlocks;

// The words of one tile. The rounds and constants are those of Salmon et al. 2011, section 3.3.
void philox_tile(const RandomState& state, std::uint32_t* w) {
  for (int b = 0; b < kRandomTileBlocks; ++b) {
    const std::uint64_t counter = state.counter + static_cast<std::uint64_t>(b);
    auto c0 = static_cast<std::uint32_t>(counter), c1 = static_cast<std::uint32_t>(counter >> 32);
    auto c2 = static_cast<std::uint32_t>(state.stream), c3 = static_cast<std::uint32_t>(state.stream >> 32);
    auto k0 = static_cast<std::uint32_t>(state.seed), k1 = static_cast<std::uint32_t>(state.seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c0, p1 = std::uint64_t{0xCD9E8D57} * c2;
      c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
      c1 = static_cast<std::uint32_t>(p1);
      c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c3 = static_cast<std::uint32_t>(p0);
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    w[b] = c0, w[16 + b] = c1, w[32 + b] = c2, w[48 + b] = c3;
  }
}

#ifdef RILL_REAL_DOUBLE
Real uniform(const std::uint32_t* w, int i) {
  return static_cast<Real>((std::uint64_t{w[i]} << 32 | w[i + 32]) >> 11) * 0x1p-53;
}
Real positive_uniform(const std::uint32_t* w, int i) { return uniform(w, i) + 0x1p-53; }
#else
Real uniform(const std::uint32_t* w, int i) { return static_cast<Real>(w[i] >> 8) * 0x1p-24f; }
Real positive_uniform(const std::uint32_t* w, int i) { return (static_cast<Real>(w[i]) + 1) * 0x1p-32f; }
#endif

void uniform_tile(const std::uint32_t* w, Real* u) {
  for (int i = 0; i < kRandomTile; ++i) u[i] = uniform(w, i);
}

void normal_tile(const std::uint32_t* w, Real* z) {
  constexpr int half = kRandomTile / 2;
  for (int i = 0; i < half; ++i) {
    const Real radius = std::sqrt(-2 * std::log(positive_uniform(w, i)));
    const Real angle = 2 * kPi * uniform(w, i + half);
    z[i] = radius * std::cos(angle);
    z[i + half] = radius * std::sin(angle);
  }
}

void bits_tile(const std::uint32_t* w, std::uint32_t* y) {
  for (int i = 0; i < kTileWords; ++i) y[i] = w[i];
}

// Writes tiles one after the other, and only the requested part of the last one.
template <class T, int size, void (*tile)(const std::uint32_t*, T*)>
void random(RandomState state, Index n, T* y) noexcept {
  for (Index i = 0; i < n; i += size, state.counter += kRandomTileBlocks) {
    std::uint32_t w[kTileWords];
    T numbers[size];
    philox_tile(state, w);
    tile(w, numbers);
    for (Index j = 0; j < size && i + j < n; ++j) y[i + j] = numbers[j];
  }
}

}  // namespace

extern constinit const RandomKernels random_kernels = {
    .random_bits = random<std::uint32_t, kTileWords, bits_tile>,
    .random_uniform = random<Real, kRandomTile, uniform_tile>,
    .random_normal = random<Real, kRandomTile, normal_tile>,
};

}  // namespace rill::simd::scalar
#endif
