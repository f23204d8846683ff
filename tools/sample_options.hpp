// What sample and evaluate can both be told: how to move noise to data.
#pragma once

#include <cstdint>
#include <string>

#include "flow/generate.hpp"
#include "tools/options.hpp"

namespace rill::tools {

struct SampleOptions {
  std::string run;
  std::string solver = "euler";
  Index steps = 50;
  std::uint64_t seed = 0;
  Index threads = 0;

  void declare(Options& options);
  /// Throws UsageError when no run is named or a value is out of range, std::invalid_argument for an unknown solver.
  flow::GenerateOptions complete() const;
};

/// Reads the command line of a program that has no presets: the defaults, --config, options.
/// False when --help or --version was asked for.
bool read_options(Options& options, int argc, const char* const* argv);

}  // namespace rill::tools
