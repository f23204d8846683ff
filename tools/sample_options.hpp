// What sample and evaluate can both be told: how to move source points to data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "flow/model/generate.hpp"
#include "flow/model/generative_model.hpp"
#include "tools/cli/options.hpp"
#include "tools/run.hpp"

namespace rill::tools {

struct SampleOptions {
  std::string run;
  std::string data, data_dir;
  std::string solver = "euler";
  Index steps = 50;
  double rtol = 0, atol = 0;
  std::string controller = "integral";
  bool per_sample = false, overshoot = false;
  Index max_steps = 10000;
  std::string sde;
  double noise = 1;
  double guidance = 1;
  std::string scheduler;
  std::uint64_t seed = 0;
  Index threads = 0;

  void declare(Options& options);
  /// Throws UsageError, naming the option, when no run is named, a value is out of range or unknown, and for options
  /// that do not go together.
  void check() const;
  /// Reads the command line of a program that has no presets: the defaults, --config, options; and refuses what changes
  /// nothing beside the others (Options::refuse_unused()). False when --help or --version was asked for.
  bool read(Options& options, int argc, const char* const* argv) const;
  /// Puts the place that --data or --data-dir names in the place of the one that the data had in training. Throws
  /// UsageError when these data have no such place.
  void locate(datasets::DataDescription& description) const;
  /// The solver that they ask for.
  flow::GenerateOptions generate_options() const;
  /// The model's dynamics as they ask for them: guided, on another scheduler's path. Nothing for a model that has none.
  /// Throws UsageError, naming the option, for what is impossible with this model.
  std::optional<flow::Dynamics> dynamics(const flow::GenerativeModel& model) const;
  /// "dopri5, rtol 0.001".
  std::string solver_text() const;

 private:
  void refuse_unused(Options& options) const;
};

}  // namespace rill::tools
