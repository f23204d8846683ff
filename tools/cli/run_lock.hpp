// One training at a time in a folder.
#pragma once

#include <string>

#include "tools/cli/open_file.hpp"

namespace rill::tools {

/// The right to write into a run's folder. While one process has it, the folder holds a file `lock` that says which;
/// the right ends with the process, however that ends. Both the folder and the file are locked: a file can be removed
/// by hand, and some network file systems lock no folders. Where there are no locks at all everybody gets it.
class RunLock {
 public:
  /// Throws FileError, saying who has it, when another process does; also when the file cannot be written.
  explicit RunLock(const std::string& folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// Makes the file anew when somebody has removed it, or the whole folder. Throws as the constructor.
  void renew();

 private:
  void introduce();
  [[noreturn]] void refuse();

  std::string folder_, path_;
  Descriptor of_folder_, file_;
};

}  // namespace rill::tools
