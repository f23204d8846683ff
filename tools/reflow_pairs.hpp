// What a reflow learns from: noise, and what a trained flow makes of it.
#pragma once

#include <cstdint>
#include <string>

#include "flow/reflow.hpp"
#include "tools/options.hpp"
#include "tools/run.hpp"
#include "tools/sample_options.hpp"

namespace rill::tools {

/// Which flow, and how it is followed. Nothing is reflowed while `run` is empty.
struct ReflowSettings {
  std::string run;
  Index pairs = 10000;
  std::string solver = "heun2";
  Index steps = 10;
  double guidance = 1;

  void declare(Options& options);
  /// Makes the run's path absolute. Throws UsageError, naming the option, for values out of range.
  void complete();
  /// The same in the words of sample.
  SampleOptions sampling() const;
};

/// The pairs of a file that an earlier call wrote, or new ones, which it writes there: as many of each label. They
/// depend on the seed and the settings alone. Throws FileError, also for a file with another number of pairs.
flow::Pairs reflow_pairs(const ReflowSettings& settings, std::uint64_t seed, const std::string& file);

}  // namespace rill::tools
