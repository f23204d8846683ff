#include "autodiff/random.hpp"

#include <numeric>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/shape.hpp"
#include "autodiff/simd/kernels.hpp"

namespace rill {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key[0] += 0x9E3779B9;  // the golden ratio and sqrt(3) - 1, as Weyl sequences
    key[1] += 0xBB67AE85;
  }
  return counter;
}

namespace {

// Numbers that one thread draws at a time: a multiple of the tile, some 10 microseconds of work.
constexpr Index kGrain = 256 * simd::kRandomTile;

RandomState at(RandomState state, Index number, Index per_tile) {
  state.counter += static_cast<std::uint64_t>(number / per_tile * simd::kRandomTileBlocks);
  return state;
}

}  // namespace

void Generator::advance(Index n, Index per_tile) { state_ = at(state_, n + per_tile - 1, per_tile); }

void Generator::uniform(Index n, Real* y) {
  parallel_for(n, kGrain, [&](Index begin, Index end) {
    simd::kernels().random_uniform(at(state_, begin, simd::kRandomTile), end - begin, y + begin);
  });
  advance(n, simd::kRandomTile);
}

void Generator::normal(Index n, Real* y) {
  parallel_for(n, kGrain, [&](Index begin, Index end) {
    simd::kernels().random_normal(at(state_, begin, simd::kRandomTile), end - begin, y + begin);
  });
  advance(n, simd::kRandomTile);
}

std::vector<std::uint64_t> Generator::words(Index n) {
  require(n <= kMaxElements, "random: ", n, " numbers are more than memory can hold");
  constexpr Index kPerTile = 4 * simd::kRandomTileBlocks;
  std::vector<std::uint32_t> halves(static_cast<std::size_t>(2 * n));
  simd::kernels().random_bits(state_, 2 * n, halves.data());
  advance(2 * n, kPerTile);
  std::vector<std::uint64_t> result(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = std::uint64_t{halves[2 * i]} << 32 | halves[2 * i + 1];
  }
  return result;
}

namespace {
__extension__ using Wide = unsigned __int128;

// The high half of random * bound: uniform in [0, bound) up to a bias of bound / 2^64.
std::uint64_t scale_to(std::uint64_t random, std::uint64_t bound) {
  return static_cast<std::uint64_t>(Wide{random} * bound >> 64);
}
}  // namespace

std::vector<Index> Generator::integers(Index n, Index bound) {
  require(n >= 0 && bound > 0, "integers: expected n >= 0 and a bound > 0, got ", n, " and ", bound);
  const std::vector<std::uint64_t> random_words = words(n);
  std::vector<Index> result;
  result.reserve(random_words.size());
  for (const std::uint64_t random : random_words) {
    result.push_back(static_cast<Index>(scale_to(random, static_cast<std::uint64_t>(bound))));
  }
  return result;
}

std::vector<Index> Generator::permutation(Index n) {
  require(n >= 0, "permutation: expected n >= 0, got ", n);
  const std::vector<std::uint64_t> random = words(n);
  std::vector<Index> result(static_cast<std::size_t>(n));
  std::iota(result.begin(), result.end(), Index{0});
  for (std::size_t i = result.size(); i > 1; --i) std::swap(result[i - 1], result[scale_to(random[i - 1], i)]);
  return result;
}

}  // namespace rill
