// Threads: one loop construct, whose pieces are fixed by the problem and not by the number of threads.
#pragma once

#include <algorithm>

#include "autodiff/real.hpp"

namespace rill {

/// The number of threads that parallel_for may use. Starts as the number of cores that the process may
/// use (autodiff/cores.hpp).
int thread_count();

/// Sets the number of threads; throws std::invalid_argument below 1.
void set_thread_count(int count);

namespace detail {
/// Calls body(context, chunk) for every chunk in [0, chunks), on several threads. Throws the first of what they throw.
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
/// depend on the number of threads. Within the body, nested calls run on the calling thread. What the body throws comes
/// out of the call, once the pieces that were begun are done; the others are left out. May be called by several threads
/// at once; one of them gets help, the others do their loops alone.
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
  detail::run_chunks((count - 1) / grain + 1,
                     [](const void* p, Index chunk) {
                       const auto& c = *static_cast<const Context*>(p);
                       const Index begin = chunk * c.grain;
                       c.body(begin, begin + std::min(c.grain, c.count - begin));
                     },
                     &context);
}

}  // namespace rill
