// Random numbers: Philox4x32-10, a counter-based generator.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "autodiff/random_state.hpp"
#include "autodiff/real.hpp"

namespace rill {

/// One Philox4x32-10 block: ten rounds of the bijection of Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3"
/// (SC 2011), section 3.3. The kernels compute many blocks at once; this is the definition.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// A stream of random numbers. Its state is three integers, so it can be saved, restored and split: streams with
/// different seeds or stream numbers are independent, and none depends on the number of threads.
/// Every call starts at a fresh tile of blocks (autodiff/simd/kernels.hpp), so numbers are best drawn in bulk.
class Generator {
 public:
  explicit Generator(std::uint64_t seed, std::uint64_t stream = 0) : state_{seed, stream, 0} {}
  explicit Generator(const RandomState& state) : state_(state) {}

  RandomState state() const { return state_; }

  /// n numbers uniform in [0, 1).
  void uniform(Index n, Real* y);
  /// n standard normal numbers.
  void normal(Index n, Real* y);
  /// n integers uniform in [0, bound). Throws std::invalid_argument unless 0 < bound. Each is the high half of
  /// the product of 64 random bits and `bound`, so no value is favored by more than bound / 2^64.
  std::vector<Index> integers(Index n, Index bound);
  /// The numbers 0 to n - 1 in a random order, every order equally likely (Fisher and Yates).
  std::vector<Index> permutation(Index n);

 private:
  void advance(Index n, Index per_tile);
  std::vector<std::uint64_t> words(Index n);  // n words of 64 random bits
  RandomState state_;
};

}  // namespace rill
