// The error message of misuse.
#pragma once

#include <stdexcept>
#include <string>

namespace rill {

/// The message of the std::invalid_argument that the call throws.
template <class Call>
std::string misuse(const Call& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace rill
