// How long a unit of work takes, for estimates of the time left.
#pragma once

#include <cmath>

namespace rill::tools {

/// The time per unit of work, averaged over about the last half minute: the clock's, so that whatever else is done
/// meanwhile (pictures, checkpoints) counts, and a busy moment does not make an estimate jump.
class Pace {
 public:
  /// `units` of work took so long.
  void add(double units, double seconds) {
    const double kept = std::exp(-seconds / kMemory);
    units_ = kept * units_ + units;
    seconds_ = kept * seconds_ + seconds;
  }
  /// The mean of the last kMemory seconds, each counted by exp(-age / kMemory). 0 before any work.
  double seconds_per_unit() const { return units_ > 0 ? seconds_ / units_ : 0; }

 private:
  static constexpr double kMemory = 30;
  double units_ = 0, seconds_ = 0;
};

}  // namespace rill::tools
