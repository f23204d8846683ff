// Work other than training steps that may take long: it says how far it is, and can be stopped.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "autodiff/interruption.hpp"
#include "tools/cli/pace.hpp"
#include "tools/cli/signals.hpp"
#include "tools/cli/status_line.hpp"

namespace rill::tools {

/// "sampling 35 %, 12 s left" on stderr, on a terminal until it ends. Nothing is shown of what takes less than a
/// second. While it lives, what its thread computes throws Stopped when a signal asks to stop
/// (autodiff/interruption.hpp).
class Phase {
 public:
  /// @param name   what is done: "sampling"
  /// @param total  of the units of work; 0 when that cannot be known before
  Phase(std::string name, double total);
  ~Phase() { line_.clear(); }
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

  /// So many units more are about to be done. From any thread. Throws Stopped when a signal asked to stop.
  void advance(double units);

 private:
  using Clock = StatusLine::Clock;
  void show(Clock::time_point now);

  const Interruptible interruptible_{heed_stop_signal};
  std::string name_;
  double total_;
  std::atomic<double> done_{0};
  std::mutex mutex_;  // guards what follows
  StatusLine line_;
  Pace pace_;
  Clock::time_point start_, last_time_;
  double last_done_ = 0;
};

}  // namespace rill::tools
