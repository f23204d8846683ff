// The command line of a program, split into options and their texts.
#pragma once

#include <string>
#include <vector>

namespace rill::tools {

/// A word that stands for something else, and what it was given.
struct CommandLineOption {
  std::string name;  ///< without the dashes
  std::string unit;  ///< what stands for the value in the help text
  std::string help, group;
  bool is_flag = false;
  std::vector<std::string> given = {};  ///< its texts, in order; "true" for a flag
};

/// An argument that has no name.
struct PositionalArgument {
  std::string name, help;
  std::string* value;  ///< stays as it is when there is none
};

struct CommandLine {
  std::string program, summary, example;  ///< in the example, "  program " stands for the name it was called by
  std::vector<CommandLineOption> options;
  std::vector<PositionalArgument> arguments;

  /// False when --help or --version was asked for, and printed to stdout. Throws UsageError for unknown options,
  /// missing or empty values and words too many.
  bool parse(int argc, const char* const* argv);
};

}  // namespace rill::tools
