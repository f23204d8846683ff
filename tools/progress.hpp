// The line that says how training goes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "nn/training_loop.hpp"

namespace rill::tools {

/// Reports on stderr: on a terminal one line that is rewritten some five times a second, elsewhere a line every few
/// seconds. Each says the step, the time left, the mean loss since the line before, the gradient norm, the learning
/// rate, the time per step, and samples and floating-point operations (those of matrix products) per second; the most
/// important first, as a narrow terminal cuts the line. There are no colors, whatever NO_COLOR says.
class Progress {
 public:
  /// Training has `done` of `steps` steps behind it, of `batch` samples each.
  Progress(Index done, Index steps, Index batch);

  /// To be called after every step; it looks at the clock, and rarely does more.
  void step(const nn::StepReport& report);
  /// Reports what has not been reported yet and leaves a terminal's cursor on a new line.
  void finish();
  /// The time since the start.
  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  void report(Clock::time_point now);
  std::string line(double seconds) const;

  bool terminal_;
  double interval_;  // seconds
  Index steps_, batch_;
  Clock::time_point start_, last_time_;
  std::uint64_t last_operations_;
  Index last_step_;
  double loss_sum_ = 0;
  nn::StepReport now_{};
};

}  // namespace rill::tools
