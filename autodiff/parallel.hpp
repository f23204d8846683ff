// Threads: one loop construct, whose pieces are fixed by the problem and not by the number of threads.
#pragma once

#include <algorithm>

#include "autodiff/real.hpp"

namespace rill {

/// The number of threads that parallel_for may use. Starts as the number of cores.
int thread_count();

/// Sets the number of threads; throws std::invalid_argument below 1.
void set_thread_count(int count);

namespace detail {
/// Calls body(context, chunk) for every chunk in [0, chunks), on several threads.
void run_chunks(Index chunks, void (*body)(const void*, Index), const void* context);
}  // namespace detail

/// While it lives, loops that its thread starts run on that thread alone: for threads that are themselves one of many.
class SerialLoops {
 public:
  SerialLoops();
  ~SerialLoops();
  SerialLoops(const SerialLoops&) = delete;
  SerialLoops& operator=(const SerialLoops&) = delete;

 private:
  bool before_;
};

/// Calls body(begin, end) so that the ranges cover [0, count): pieces of `grain`, the last one shorter.
/// Pieces run on several threads when there are at least two of them, so `grain` is the amount of work
/// that is worth a thread's wake-up (some 10 microseconds). A result that is summed piece by piece does not
/// depend on the number of threads. The body must not throw; within it, nested calls run on the calling thread.
template <class Body>
void parallel_for(Index count, Index grain, const Body& body) {
  if (count <= grain) {
    if (count > 0) body(Index{0}, count);
    return;
  }
  struct Context {
    Index count, grain;
    const Body& body;
  } context{count, grain, body};
  detail::run_chunks((count + grain - 1) / grain,
                     [](const void* p, Index chunk) {
                       const auto& c = *static_cast<const Context*>(p);
                       c.body(chunk * c.grain, std::min(c.count, (chunk + 1) * c.grain));
                     },
                     &context);
}

}  // namespace rill
