// A caching allocator: a training step asks for the same blocks every time, so none of them
// is returned to the system in between.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace rill::memory {

/// Every block starts at a multiple of this many bytes: a cache line, and the widest vector register.
inline constexpr std::size_t kAlignment = 64;

/// A block of at least `bytes` bytes, contents undefined, aligned to kAlignment. Safe from any thread.
/// Throws std::bad_alloc when the system has none, and past 2^47 bytes.
void* allocate(std::size_t bytes);

/// Returns a block to the cache, from any thread; `bytes` is the size that was requested.
void deallocate(void* block, std::size_t bytes) noexcept;

/// The size of `n` objects of `each` bytes. Throws std::bad_alloc if it overflows.
inline std::size_t bytes_of(std::size_t n, std::size_t each) {
  std::size_t bytes;
  if (__builtin_mul_overflow(n, each, &bytes)) throw std::bad_alloc();
  return bytes;
}

/// What has been taken from the system and not yet returned to it.
struct Statistics {
  std::size_t blocks = 0;  ///< number of blocks; constant once a loop has reached its steady state
  std::size_t bytes = 0;   ///< their size
};
Statistics statistics();

/// Returns every free block that no thread keeps to itself to the system.
void release_unused();

/// A standard allocator over allocate() and deallocate().
template <class T>
struct Allocator {
  using value_type = T;
  Allocator() = default;
  template <class U>
  Allocator(const Allocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(memory::allocate(bytes_of(n, sizeof(T)))); }
  void deallocate(T* p, std::size_t n) noexcept { memory::deallocate(p, n * sizeof(T)); }
  template <class U>
  bool operator==(const Allocator<U>&) const {
    return true;
  }
};

/// A vector in cached memory, for code that runs in every training step.
template <class T>
using Vector = std::vector<T, Allocator<T>>;

}  // namespace rill::memory
