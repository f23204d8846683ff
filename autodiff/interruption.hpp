// Giving up long work: one way for all of it.
#pragma once

#include <functional>

namespace rill {

/// While it lives, long work that its thread begins (transport plans, distances, solvers, divergences) calls `check`
/// some thousand times a second or more, also from the threads that help with it. What `check` throws comes out of the
/// work; what it had computed is lost. A training step is given up before it changes a weight, or not at all. Of
/// several that live, the last one counts. Ends on the thread that it began on.
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

/// For the loops of long work, once an iteration: throws when the work is to be given up. Costs some nanoseconds.
void check_interruption();

namespace detail {
/// What check_interruption() calls on this thread, or null. Threads that work for another one share what it has.
const std::function<void()>*& interruption() noexcept;
}  // namespace detail

}  // namespace rill
