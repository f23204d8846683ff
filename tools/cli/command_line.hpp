// The command line of a program, split into options and their values.
#pragma once

#include <string>
#include <vector>

namespace rill::tools {

/// An option and its values.
struct CommandLineOption {
  std::string name;  ///< without the dashes
  std::string unit;  ///< placeholder for the value in the help text
  std::string help, group;
  bool is_flag = false;
  std::vector<std::string> given = {};  ///< its values, in order; "true" for a flag
};

/// An argument without a name.
struct PositionalArgument {
  std::string name, help;
  std::string* value;  ///< unchanged if the argument is missing
};

struct CommandLine {
  std::string program, summary, example;  ///< in the example, "  program " is replaced by the name of the call
  std::vector<CommandLineOption> options;
  std::vector<PositionalArgument> arguments;

  /// False if --help or --version was given, and printed to stdout. Throws UsageError for unknown options, missing or
  /// empty values and extra words.
  bool parse(int argc, const char* const* argv);
};

}  // namespace rill::tools
