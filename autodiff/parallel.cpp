#include "autodiff/parallel.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>

#include "autodiff/cores.hpp"
#include "autodiff/error.hpp"
#include "autodiff/interruption.hpp"

namespace rill {
namespace {

std::atomic<int>& configured_threads() {
  static std::atomic<int> count{usable_cores()};
  return count;
}

// One loop. Each thread that takes part claims chunks until none are left.
struct Loop {
  Index chunks;
  void (*body)(const void*, Index);
  const void* context;
  int workers;  // how many workers may take part
  const std::function<void()>* interruption = detail::interruption();
  std::atomic<Index> next{0};  // the first unclaimed chunk
  std::atomic<bool> failed{false};
  std::exception_ptr error{};  // the first one; written by the thread that set `failed`

  void run() noexcept {
    try {
      for (Index chunk = next++; chunk < chunks && !failed; chunk = next++) body(context, chunk);
    } catch (...) {
      if (!failed.exchange(true)) error = std::current_exception();
    }
  }
};

thread_local bool in_loop = false;  // nested loops run on their own thread

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The worker threads. A loop never waits for a thread to wake up, only for chunks that were claimed: on a busy machine
// the caller computes what the others have not begun, and a loop takes hardly longer than on one thread.
class Workers {
 public:
  /// Runs the loop with the workers' help, or alone when they are helping another thread.
  void run(Loop& loop) {
    const std::unique_lock lock(one_loop_, std::try_to_lock);
    if (!lock) return loop.run();
    while (started_ < loop.workers && start_another()) ++started_;
    loop_ = &loop;
    ++loops_;
    loops_.notify_all();
    in_loop = true;
    loop.run();
    in_loop = false;
    // A worker counts itself before it looks for the loop, so one that has found this loop is seen here.
    loop_ = nullptr;
    while (inside_ > 0) pause_briefly();
  }

 private:
  bool start_another() {
    try {
      std::thread(&Workers::work, this, started_).detach();
      return true;
    } catch (const std::system_error&) {
      return false;  // the system allows no more threads; make do with these
    }
  }

  void work(int index) {
    in_loop = true;
    unsigned seen = 0;
    for (;;) {
      wait_for_change(seen);
      seen = loops_;
      ++inside_;
      Loop* loop = loop_;
      if (loop && index < loop->workers) {
        detail::interruption() = loop->interruption;
        loop->run();
        detail::interruption() = nullptr;
      }
      --inside_;
    }
  }

  // The next loop of a training step comes within microseconds, sooner than a sleeping thread wakes up. After that,
  // other processes may need the core.
  void wait_for_change(unsigned seen) {
    using Clock = std::chrono::steady_clock;
    const auto sleep_at = Clock::now() + std::chrono::microseconds(50);
    while (loops_ == seen) {
      if (Clock::now() > sleep_at) return loops_.wait(seen);
      pause_briefly();
    }
  }

  std::mutex one_loop_;
  int started_ = 0;
  std::atomic<Loop*> loop_{nullptr};
  std::atomic<unsigned> loops_{0};
  std::atomic<int> inside_{0};
};

}  // namespace

SerialLoops::SerialLoops() : before_(in_loop) { in_loop = true; }
SerialLoops::~SerialLoops() { in_loop = before_; }

int thread_count() { return configured_threads(); }

void set_thread_count(int count) {
  require(count >= 1, "threads: expected at least 1, got ", count);
  configured_threads() = count;
}

void detail::run_chunks(Index chunks, void (*body)(const void*, Index), const void* context) {
  // Never destroyed: its threads wait until the process ends.
  static Workers& workers = *new Workers;
  const int threads = static_cast<int>(std::min<Index>(chunks, thread_count()));
  Loop loop{.chunks = chunks, .body = body, .context = context, .workers = threads - 1};
  threads > 1 && !in_loop ? workers.run(loop) : loop.run();
  if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace rill
