// What a reflow learns from: noise, and what a trained flow makes of it.
#pragma once

#include <cstdint>
#include <string>

#include "flow/model/reflow.hpp"
#include "tools/cli/options.hpp"
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

/// As many pairs of each label, made by the settings' run, which is `teacher`. They depend on the seed, the settings
/// and the run's model file, and are kept in `file` together with these: what an earlier call wrote there for the same
/// is read, anything else is replaced. Shows how far it is. Throws FileError, std::runtime_error for a file that says
/// it holds these pairs and does not, and Stopped when a signal asks to stop (tools/cli/phase.hpp).
flow::Pairs reflow_pairs(const ReflowSettings& settings, const TrainedModel& teacher, std::uint64_t seed,
                         const std::string& file);

}  // namespace rill::tools
