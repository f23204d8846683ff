// The number of floating-point operations: the numerator of every GFLOP/s.
#pragma once

#include <atomic>
#include <cstdint>

#include "autodiff/real.hpp"

namespace rill {

namespace detail {
inline std::atomic<std::uint64_t> operations{0};
}

/// Floating-point operations of this process's matrix products so far: 2 m n k each. Other ops are not counted.
inline std::uint64_t operation_count() { return detail::operations.load(std::memory_order_relaxed); }

/// Called by the op that multiplies.
inline void count_operations(Index operations) {
  detail::operations.fetch_add(static_cast<std::uint64_t>(operations), std::memory_order_relaxed);
}

}  // namespace rill
