// Errors of the command line and configuration.
#pragma once

#include <stdexcept>

namespace rill::tools {

/// The command line or a configuration file is wrong: exit code 2. The message names the option.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace rill::tools
