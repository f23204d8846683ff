// Cancellation of long computations.
#pragma once

#include <functional>

namespace rill {

/// While it lives, long computations that its thread starts (transport plans, distances, solvers, divergences) call
/// `check` at least about a thousand times a second, also from their worker threads. An exception that `check` throws
/// ends the computation and propagates; partial results are lost. A training step is abandoned before it changes a
/// weight, or not at all. The innermost of nested ones is in force. Must end on the thread that it began on.
///
///   const Interruptible until([=] { if (clock::now() > deadline) throw TooLate(); });
class Interruptible {
 public:
  /// `check` may be called from several threads at once.
  explicit Interruptible(std::function<void()> check);
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  std::function<void()> check_;
  const std::function<void()>* before_;
};

/// Called once per iteration by the loops of long computations: throws if they are canceled. Costs a few nanoseconds.
void check_interruption();

namespace detail {
/// What check_interruption() calls on this thread, or null. Worker threads share that of the thread they work for.
const std::function<void()>*& interruption() noexcept;
}  // namespace detail

}  // namespace rill
