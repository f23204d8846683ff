// The time per unit of work, for estimates of the time left.
#pragma once

#include <cmath>

namespace rill::tools {

/// The time per unit of work, averaged over about the last half minute. Wall-clock time, so that other work (pictures,
/// checkpoints) counts; averaged, so that a busy moment does not make the estimate jump.
class Pace {
 public:
  /// Records that `units` of work took `seconds`.
  void add(double units, double seconds) {
    const double kept = std::exp(-seconds / kMemory);
    units_ = kept * units_ + units;
    seconds_ = kept * seconds_ + seconds;
  }
  /// The mean time, weighted by exp(-age / kMemory). 0 before any work.
  double seconds_per_unit() const { return units_ > 0 ? seconds_ / units_ : 0; }

 private:
  static constexpr double kMemory = 30;
  double units_ = 0, seconds_ = 0;
};

}  // namespace rill::tools
