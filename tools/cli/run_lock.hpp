// One training at a time in a folder.
#pragma once

#include <string>

namespace rill::tools {

/// The right to write into a run's folder. While one process has it, the folder holds a file `lock` that says which;
/// the right ends with the process, however that ends. On file systems without locks everybody gets it.
class RunLock {
 public:
  /// Throws FileError, saying who has it, when another process does; also when the file cannot be written.
  explicit RunLock(const std::string& folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// Takes it once more when somebody has removed the file, or the whole folder. Throws as the constructor.
  void renew();

 private:
  void take();

  std::string folder_, path_;
  int descriptor_ = -1;
};

}  // namespace rill::tools
