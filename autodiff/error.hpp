// How rill reports misuse: one line that says what was found and what was expected.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace rill {

/// The arguments written by operator<<, one after the other.
template <class... Args>
std::string concat(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

/// Throws std::invalid_argument with the concatenated message: the caller broke a contract.
template <class... Args>
[[noreturn]] void fail(const Args&... args) {
  throw std::invalid_argument(concat(args...));
}

/// Throws std::invalid_argument with the concatenated message unless `condition` holds.
/// The message names the operation and what it was given: `matmul: [256, 3] x [4, 64]: ...`.
template <class... Args>
void require(bool condition, const Args&... args) {
  if (!condition) [[unlikely]]
    fail(args...);
}

/// A file that could not be read or written, or does not hold what it should.
class FileError : public std::runtime_error {
 public:
  /// The message is "path: what", where `what` is the concatenation of the arguments.
  template <class... Args>
  explicit FileError(const std::string& path, const Args&... what) : std::runtime_error(concat(path, ": ", what...)) {}
};

/// Throws FileError unless `condition` holds.
template <class... Args>
void require_file(bool condition, const std::string& path, const Args&... what) {
  if (!condition) [[unlikely]]
    throw FileError(path, what...);
}

}  // namespace rill
