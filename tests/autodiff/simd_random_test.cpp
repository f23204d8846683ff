// Random numbers: Philox's known answers on every set, the same bits on all, and the normal distribution's shape.
#include "tests/autodiff/simd_testing.hpp"

namespace rill::simd {
namespace {

// Random123's kat_vectors for philox4x32-10.
struct KnownAnswer {
  RandomState state;
  std::uint32_t words[4];
};
constexpr std::uint64_t kOnes = ~std::uint64_t{0};
const KnownAnswer kKnownAnswers[] = {
    {{0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{kOnes, kOnes, kOnes}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

TEST(SimdRandom, KnownAnswers) {
  for (const Kernels* kernels : available_kernels()) {
    for (const KnownAnswer& known : kKnownAnswers) {
      std::uint32_t w[64];
      kernels->random_bits(known.state, 64, w);
      for (int j = 0; j < 4; ++j) EXPECT_EQ(w[16 * j], known.words[j]) << kernels->name << " word " << j;
    }
  }
}

TEST(SimdRandom, EveryBlockOfATileHasItsOwnCounter) {
  for (const Kernels* kernels : available_kernels()) {
    const RandomState state{7, 3, 0xFFFFFFF8};  // the counter's low word overflows within the tile
    std::uint32_t tile[64];
    kernels->random_bits(state, 64, tile);
    for (std::uint64_t b = 0; b < 16; ++b) {
      std::uint32_t block[64];
      reference().random_bits({state.seed, state.stream, state.counter + b}, 64, block);
      for (int j = 0; j < 4; ++j) {
        EXPECT_EQ(tile[16 * j + static_cast<int>(b)], block[16 * j]) << kernels->name << " block " << b;
      }
    }
  }
}

TEST(SimdRandom, SameOnEverySetAtEveryLength) {
  const RandomState state{123, 45, 6};
  for (const Kernels* kernels : available_kernels()) {
    for (Index n = 0; n <= 3 * kRandomTile + 1; n += n % 7 + 1) {
      Numbers u(n, 1), z(n, 3), u_expected(n, 0), z_expected(n, 0);
      kernels->random_uniform(state, n, u.data());
      kernels->random_normal(state, n, z.data());
      reference().random_uniform(state, n, u_expected.data());
      reference().random_normal(state, n, z_expected.data());
      ASSERT_TRUE(u.intact() && z.intact());
      for (Index i = 0; i < n; ++i) {
        ASSERT_EQ(u[i], u_expected[i]) << kernels->name << ' ' << i;
        ASSERT_NEAR(z[i], z_expected[i], 8 * kEpsilon) << kernels->name << ' ' << i;
      }
    }
  }
}

TEST(SimdRandom, ShorterIsAPrefixOfLonger) {
  for (const Kernels* kernels : available_kernels()) {
    Real longer[200], shorter[77];
    kernels->random_normal({1, 2, 3}, 200, longer);
    kernels->random_normal({1, 2, 3}, 77, shorter);
    for (int i = 0; i < 77; ++i) EXPECT_EQ(shorter[i], longer[i]) << kernels->name;
  }
}

TEST(SimdRandom, Moments) {
  // Of n = 2^20 numbers the mean is within 5 / sqrt(n) of the truth, and the higher moments within 5 of their own
  // standard errors: sqrt(2/n), sqrt(15/n) and sqrt(96/n) for the normal distribution.
  constexpr Index n = 1 << 20;
  const double scale = 5 / std::sqrt(static_cast<double>(n));
  std::vector<Real> x(n);
  for (const Kernels* kernels : available_kernels()) {
    kernels->random_normal({11, 0, 0}, n, x.data());
    double m[5] = {};
    for (const Real z : x) {
      for (int p = 1; p <= 4; ++p) m[p] += std::pow(static_cast<double>(z), p) / n;
    }
    EXPECT_NEAR(m[1], 0, scale) << kernels->name;
    EXPECT_NEAR(m[2], 1, scale * std::sqrt(2)) << kernels->name;
    EXPECT_NEAR(m[3], 0, scale * std::sqrt(15)) << kernels->name;
    EXPECT_NEAR(m[4], 3, scale * std::sqrt(96)) << kernels->name;
    kernels->random_uniform({11, 0, 0}, n, x.data());
    double mean = 0, square = 0;
    for (const Real u : x) {
      ASSERT_TRUE(u >= 0 && u < 1) << kernels->name;
      mean += static_cast<double>(u) / n;
      square += static_cast<double>(u) * static_cast<double>(u) / n;
    }
    EXPECT_NEAR(mean, 0.5, scale * std::sqrt(1. / 12)) << kernels->name;
    EXPECT_NEAR(square, 1. / 3, scale * std::sqrt(4. / 45)) << kernels->name;
  }
}

}  // namespace
}  // namespace rill::simd
