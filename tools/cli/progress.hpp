// The progress line of training.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/training_loop.hpp"
#include "tools/cli/pace.hpp"
#include "tools/cli/status_line.hpp"

namespace rill::tools {

/// Each line has the step, the time left, the mean loss since the previous line, the gradient norm, the learning rate,
/// the time per step, and samples and floating-point operations (those of matrix products) per second.
class Progress {
 public:
  /// `done` of `steps` steps, of `batch` samples each, are already done.
  Progress(Index done, Index steps, Index batch);

  /// Call it after every step; it checks the clock, and rarely does more.
  void step(const nn::StepReport& report);
  /// Reports the remaining steps and ends the line.
  void finish();
  /// The time since the start.
  double seconds() const;

 private:
  using Clock = StatusLine::Clock;
  void report(Clock::time_point now);
  std::vector<std::string> fields(double seconds) const;

  StatusLine line_;
  Pace pace_;
  Index steps_, batch_;
  Clock::time_point start_, last_time_;
  std::uint64_t last_operations_;
  Index last_step_;
  double loss_sum_ = 0;
  nn::StepReport now_{};
};

}  // namespace rill::tools
