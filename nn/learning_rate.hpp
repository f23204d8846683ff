// The learning rate as a function of the step.
#pragma once

#include <string>

#include "autodiff/real.hpp"

namespace rill::nn {

/// A linear warm-up to the peak, then constant or half a cosine down (Loshchilov and Hutter 2017, without restarts).
struct LearningRate {
  std::string schedule = "constant";  ///< constant or cosine
  double peak = 1e-3;
  double final_fraction = 0;  ///< cosine: where it ends, as a fraction of the peak
  Index warmup_steps = 0;
  Index steps = 0;  ///< cosine: how many steps there are in all, the warm-up included

  /// The learning rate of step 0, 1, 2, ...
  ///   step < warmup_steps: peak (step + 1) / warmup_steps
  ///   cosine, then: peak (f + (1 - f) (1 + cos(pi s)) / 2), f = final_fraction, s the share of the later steps done;
  ///   after the last one, f peak.
  double at(Index step) const;

  /// Throws std::invalid_argument, naming the field, unless the schedule is known, peak and final_fraction are >= 0,
  /// warmup_steps >= 0 and, for cosine, steps > warmup_steps.
  void check() const;
};

}  // namespace rill::nn
