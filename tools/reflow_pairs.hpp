// The training pairs of a reflow: noise, and a trained flow's samples from it.
#pragma once

#include <cstdint>
#include <string>

#include "flow/model/reflow.hpp"
#include "tools/cli/options.hpp"
#include "tools/run.hpp"
#include "tools/sample_options.hpp"

namespace rill::tools {

/// The flow and how to sample it. Without `run`, there is no reflow.
struct ReflowSettings {
  std::string run;
  Index pairs = 10000;
  std::string solver = "heun2";
  Index steps = 10;
  double guidance = 1;

  void declare(Options& options);
  /// Makes the run's path absolute. Throws UsageError, naming the option, for values out of range.
  void complete();
  /// The same as options of sample.
  SampleOptions sampling() const;
};

/// Equally many pairs of each label, made by the settings' run, which is `teacher`. They depend on the seed, the
/// settings and the run's model file, and are saved in `file` along with a record of these: pairs saved by an earlier
/// call with the same record are read, others are replaced. Shows progress. Throws FileError, std::runtime_error for a
/// file that does not hold the pairs that it claims, and Stopped if a signal asks to stop (tools/cli/phase.hpp).
flow::Pairs reflow_pairs(const ReflowSettings& settings, const TrainedModel& teacher, std::uint64_t seed,
                         const std::string& file);

}  // namespace rill::tools
