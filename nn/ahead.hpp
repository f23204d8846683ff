// Prefetching: results computed ahead of time, by separate threads.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "autodiff/interruption.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/real.hpp"

namespace rill::nn {

/// Computes make(first), make(first + 1), ... a few ahead, while the caller uses the results before them. make(i) must
/// depend on i alone, so that it does not matter which thread computes it, or when.
template <class T>
class Ahead {
 public:
  /// `make` is called by `workers` >= 1 threads at once, each of which takes the next number; parallel loops in it run
  /// on its thread alone. An Interruptible of the constructing thread applies to the workers, too.
  Ahead(std::function<T(Index)> make, Index first, int workers)
      : make_(std::move(make)), taken_(first), next_(first), results_(static_cast<std::size_t>(2 * workers)) {
    const std::function<void()>* check = detail::interruption();
    if (check != nullptr) check_ = *check;
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Ahead() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  /// Waits for the next result in order and returns it. Rethrows what make() threw for it; the next call continues.
  T take() {
    std::unique_lock lock(mutex_);
    Result& result = slot(taken_);
    changed_.wait(lock, [&] { return result.value || result.error; });
    ++taken_;
    const Result taken = std::exchange(result, {});
    lock.unlock();
    changed_.notify_all();
    if (taken.error) std::rethrow_exception(taken.error);
    return *taken.value;
  }

 private:
  struct Result {
    std::optional<T> value;
    std::exception_ptr error;
  };

  Result& slot(Index number) { return results_[static_cast<std::size_t>(number) % results_.size()]; }

  void work() {
    const SerialLoops serial;
    const Interruptible interruptible(check_);
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto room = static_cast<Index>(results_.size());
      changed_.wait(lock, [&] { return stopped_ || next_ < taken_ + room; });
      if (stopped_) return;
      const Index number = next_++;
      lock.unlock();
      Result result;
      try {
        result.value = make_(number);
      } catch (...) {
        result.error = std::current_exception();
      }
      lock.lock();
      slot(number) = std::move(result);
      changed_.notify_all();
    }
  }

  std::function<T(Index)> make_;
  std::function<void()> check_;  // see autodiff/interruption.hpp
  std::mutex mutex_;             // guards everything below
  std::condition_variable changed_;
  Index taken_, next_;  // the next number to hand out and the next to compute
  std::vector<Result> results_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace rill::nn
