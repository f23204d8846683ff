// The learning rate as a function of the step.
#pragma once

#include <string>
#include <vector>

#include "autodiff/description.hpp"
#include "autodiff/real.hpp"

namespace rill::nn {

/// constant, cosine.
std::vector<std::string> schedule_names();

/// A linear warmup to the peak, then constant or cosine decay (Loshchilov and Hutter 2017, without restarts).
struct LearningRate {
  std::string schedule = "constant";  ///< constant or cosine
  double peak = 1e-3;
  double final_fraction = 0;  ///< cosine: the final rate, as a fraction of the peak
  Index warmup_steps = 0;
  Index steps = 0;  ///< cosine: the total number of steps, warmup included

  /// All fields but the number of steps, which is a setting of the training.
  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("schedule", self.schedule,
          {.unit = "NAME", .help = "of the learning rate", .names = schedule_names, .summary = ", {} learning rate"});
    visit("learning_rate", self.peak, {.unit = "RATE", .help = "the highest learning rate", .summary = " {}"});
    visit("final_fraction", self.final_fraction,
          {.unit = "SHARE",
           .help = "learning rate at the end, as a share of the highest",
           .only = {"schedule", self.schedule, {"cosine"}}});
    visit("warmup", self.warmup_steps, {.unit = "STEPS", .help = "steps in which the learning rate rises from 0"});
  }

  /// The learning rate of step 0, 1, 2, ...
  ///   step < warmup_steps: peak (step + 1) / warmup_steps
  ///   then, for cosine: peak (f + (1 - f) (1 + cos(pi s)) / 2), with f = final_fraction and s the fraction of the
  ///   remaining steps that are done; after the last step, f peak.
  double at(Index step) const;

  /// Throws std::invalid_argument, naming the field, unless the schedule is known, peak and final_fraction are >= 0,
  /// warmup_steps >= 0 and, for cosine, steps > warmup_steps.
  void check() const;
};

}  // namespace rill::nn
