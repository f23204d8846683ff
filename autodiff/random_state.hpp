// The position in a stream of random numbers.
#pragma once

#include <cstdint>

namespace rill {

/// Three integers, which can be saved and restored: see autodiff/random.hpp.
struct RandomState {
  std::uint64_t seed;     ///< the Philox key
  std::uint64_t stream;   ///< counter words 2 and 3
  std::uint64_t counter;  ///< counter words 0 and 1: the next block
};

}  // namespace rill
