// Errors of the command line and configuration.
#pragma once

#include <stdexcept>

#include "autodiff/error.hpp"

namespace rill::tools {

/// The command line or a configuration file is wrong: exit code 2. The message names the option.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Calls make(); the std::invalid_argument that it throws becomes a UsageError of the option.
template <class Make>
auto by_option(const char* option, const Make& make) {
  try {
    return make();
  } catch (const std::invalid_argument& error) {
    throw UsageError(concat("--", option, ": ", error.what()));
  }
}

}  // namespace rill::tools
