#include "autodiff/memory.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <mutex>
#include <new>
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(block, bytes) (static_cast<void>(block), static_cast<void>(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(block, bytes) (static_cast<void>(block), static_cast<void>(bytes))
#endif

namespace rill::memory {
namespace {

// Blocks come in classes of 64, 80, 96, 112, 128, 160, 192, 224, 256, ... bytes: four to a doubling,
// so at most a fifth of a block is unused.
constexpr int kClasses = 4 * 42;  // up to 2^48 bytes

struct SizeClass {
  int index;
  std::size_t bytes;
};

SizeClass size_class(std::size_t bytes) {
  if (bytes <= kAlignment) return {0, kAlignment};
  if (bytes > std::size_t{1} << 47) throw std::bad_alloc();
  // bytes is in (2^e, 2^(e+1)], e >= 6; the quarter says where.
  const int e = std::bit_width(bytes - 1) - 1;
  const std::size_t step = std::size_t{1} << (e - 2);
  const std::size_t quarter = (bytes - 1 - (std::size_t{1} << e)) / step + 1;
  return {4 * (e - 6) + static_cast<int>(quarter), (std::size_t{1} << e) + quarter * step};
}

// AddressSanitizer knows only the system's blocks. To let it also find a use of a freed block, or of bytes past those
// requested, everything but the bytes in use is poisoned. Does nothing in other builds.
void* lend(void* block, std::size_t asked, std::size_t whole) {
  ASAN_POISON_MEMORY_REGION(block, whole);
  ASAN_UNPOISON_MEMORY_REGION(block, asked);
  return block;
}

// A free block holds the link to the next one in its own first bytes.
struct FreeBlock {
  FreeBlock* next;
};

struct FreeList {
  FreeBlock* head = nullptr;
  std::size_t count = 0;

  void push(void* block) {
    ASAN_UNPOISON_MEMORY_REGION(block, sizeof(FreeBlock));
    head = new (block) FreeBlock{head};
    ASAN_POISON_MEMORY_REGION(block, sizeof(FreeBlock));
    ++count;
  }
  void* pop() {
    FreeBlock* block = head;
    if (block) {
      ASAN_UNPOISON_MEMORY_REGION(block, sizeof(FreeBlock));
      head = block->next;
      --count;
    }
    return block;
  }
};

// The blocks shared by all threads. Never destroyed: tensors in static storage may outlive any static object here.
struct SharedPool {
  std::mutex mutex;
  std::array<FreeList, kClasses> lists;
  std::atomic<std::size_t> blocks{0}, bytes{0};
};
SharedPool& shared_pool() {
  static SharedPool& pool = *new SharedPool;
  return pool;
}

// Each thread keeps some small blocks to itself, so that the common case takes no lock. Their number is
// bounded: a thread that only frees passes its surplus on to threads that only allocate.
constexpr std::size_t kLargestLocalBlock = std::size_t{1} << 20;
constexpr std::size_t kLocalBytesPerClass = std::size_t{4} << 20;

struct LocalPool {
  std::array<FreeList, kClasses> lists;
  bool closed;  // the thread is ending: everything goes to the shared pool
};
constinit thread_local LocalPool local{};

// Hands the local blocks over when a thread ends.
struct LocalPoolCloser {
  ~LocalPoolCloser() {
    SharedPool& shared = shared_pool();
    const std::lock_guard lock(shared.mutex);
    for (int i = 0; i < kClasses; ++i) {
      while (void* block = local.lists[i].pop()) shared.lists[i].push(block);
    }
    local.closed = true;
  }
};

}  // namespace

void* allocate(std::size_t bytes) {
  const SizeClass c = size_class(bytes);
  if (c.bytes <= kLargestLocalBlock) {
    if (void* block = local.lists[c.index].pop()) return lend(block, bytes, c.bytes);
  }
  SharedPool& shared = shared_pool();
  {
    const std::lock_guard lock(shared.mutex);
    if (void* block = shared.lists[c.index].pop()) return lend(block, bytes, c.bytes);
  }
  void* block = ::operator new (c.bytes, std::align_val_t{kAlignment});
  shared.blocks += 1;
  shared.bytes += c.bytes;
  return lend(block, bytes, c.bytes);
}

void deallocate(void* block, std::size_t bytes) noexcept {
  const SizeClass c = size_class(bytes);
  ASAN_POISON_MEMORY_REGION(block, c.bytes);
  if (c.bytes <= kLargestLocalBlock && !local.closed) {
    thread_local const LocalPoolCloser closer;
    (void)closer;
    FreeList& list = local.lists[c.index];
    if (list.count * c.bytes < kLocalBytesPerClass) return list.push(block);
  }
  SharedPool& shared = shared_pool();
  const std::lock_guard lock(shared.mutex);
  shared.lists[c.index].push(block);
}

Statistics statistics() { return {shared_pool().blocks, shared_pool().bytes}; }

void release_unused() {
  SharedPool& shared = shared_pool();
  const std::lock_guard lock(shared.mutex);
  for (int i = 0; i < kClasses; ++i) {
    // Inverse of size_class(): class 0 is 64 bytes, then quarters of doublings.
    const std::size_t bytes = i == 0 ? kAlignment : (std::size_t{16} << ((i - 1) / 4)) * (5 + (i - 1) % 4);
    while (void* block = shared.lists[i].pop()) {
      ::operator delete (block, std::align_val_t{kAlignment});
      shared.blocks -= 1;
      shared.bytes -= bytes;
    }
  }
}

}  // namespace rill::memory
