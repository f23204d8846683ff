#include "autodiff/parallel.hpp"

#include <thread>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "autodiff/error.hpp"

namespace rill {
namespace {

int& configured_threads() {
  static int count = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return count;
}

}  // namespace

int thread_count() {
#ifdef _OPENMP
  return configured_threads();
#else
  return 1;
#endif
}

void set_thread_count(int count) {
  require(count >= 1, "threads: expected at least 1, got ", count);
  configured_threads() = count;
}

void detail::run_chunks(Index chunks, void (*body)(const void*, Index), const void* context) {
#ifdef _OPENMP
  if (chunks > 1 && thread_count() > 1 && !omp_in_parallel()) {
    const int threads = static_cast<int>(std::min<Index>(chunks, thread_count()));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (Index chunk = 0; chunk < chunks; ++chunk) body(context, chunk);
    return;
  }
#endif
  for (Index chunk = 0; chunk < chunks; ++chunk) body(context, chunk);
}

}  // namespace rill
