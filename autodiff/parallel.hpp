// Threads: one parallel loop, whose chunks depend on the problem and not on the number of threads.
#pragma once

#include <algorithm>

#include "autodiff/real.hpp"

namespace rill {

/// The number of threads that parallel_for may use. By default the number of cores available to the
/// process (autodiff/cores.hpp).
int thread_count();

/// Sets the number of threads; throws std::invalid_argument below 1.
void set_thread_count(int count);

namespace detail {
/// Calls body(context, chunk) for every chunk in [0, chunks), on several threads. Rethrows the first exception.
void run_chunks(Index chunks, void (*body)(const void*, Index), const void* context);
}  // namespace detail

/// While it lives, loops that its thread starts run on that thread alone: for threads that already run in parallel.
class SerialLoops {
 public:
  SerialLoops();
  ~SerialLoops();
  SerialLoops(const SerialLoops&) = delete;
  SerialLoops& operator=(const SerialLoops&) = delete;

 private:
  bool before_;
};

/// Calls body(begin, end) for ranges that cover [0, count): each has `grain` elements, the last one may have fewer.
/// Ranges run on several threads if there are at least two, so `grain` should be enough work to justify waking a
/// thread (some 10 microseconds). A result that is summed range by range does not depend on the number of
/// threads. Nested calls run on the calling thread. The first exception of the body is rethrown once the ranges that
/// have begun are done; the others are skipped. Several threads may call this at once: one of them gets the workers,
/// the others run their loops alone.
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
