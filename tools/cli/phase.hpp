// Long work other than training steps: shows its progress and can be stopped.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "autodiff/interruption.hpp"
#include "tools/cli/pace.hpp"
#include "tools/cli/signals.hpp"
#include "tools/cli/status_line.hpp"

namespace rill::tools {

/// Shows "sampling 35 %, 12 s left" on stderr; on a terminal, removes it at the end. Shows nothing for work of less
/// than a second. While it lives, computations of its thread throw Stopped if a signal asks to stop
/// (autodiff/interruption.hpp).
class Phase {
 public:
  /// @param name   what is done: "sampling"
  /// @param total  the units of work; 0 if unknown
  Phase(std::string name, double total);
  ~Phase() { line_.clear(); }
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

  /// Records that `units` more are about to be done. Call it from any thread. Throws Stopped if a signal asked to stop.
  void advance(double units);

 private:
  using Clock = StatusLine::Clock;
  void show(Clock::time_point now);

  const Interruptible interruptible_{heed_stop_signal};
  std::string name_;
  double total_;
  std::atomic<double> done_{0};
  std::mutex mutex_;  // guards the members below
  StatusLine line_;
  Pace pace_;
  Clock::time_point start_, last_time_;
  double last_done_ = 0;
};

}  // namespace rill::tools
