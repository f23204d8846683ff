#include "nn/learning_rate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"

namespace rill::nn {

std::vector<std::string> schedule_names() { return {"constant", "cosine"}; }

double LearningRate::at(Index step) const {
  if (step < warmup_steps) return peak * static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  if (schedule == "constant") return peak;
  const double done = static_cast<double>(step - warmup_steps) / static_cast<double>(steps - warmup_steps);
  const double fall = (1 + std::cos(std::numbers::pi * std::min(done, 1.0))) / 2;
  return peak * (final_fraction + (1 - final_fraction) * fall);
}

void LearningRate::check() const {
  require_known("schedule of the learning rate", schedule, schedule_names());
  require(peak >= 0 && std::isfinite(peak), "learning rate: peak is ", peak, ", expected a number >= 0");
  require(final_fraction >= 0 && std::isfinite(final_fraction), "learning rate: final_fraction is ", final_fraction,
          ", expected a number >= 0");
  require(warmup_steps >= 0, "learning rate: warmup_steps is ", warmup_steps, ", expected 0 or more");
  require(schedule == "constant" || steps > warmup_steps, "learning rate: cosine needs more steps (", steps,
          ") than warmup steps (", warmup_steps, ")");
}

}  // namespace rill::nn
