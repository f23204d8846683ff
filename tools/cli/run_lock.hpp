// Allows one training at a time in a folder.
#pragma once

#include <string>

#include "tools/cli/open_file.hpp"

namespace rill::tools {

/// The exclusive right to write to a run's folder. While a process holds it, the folder has a file `lock` that names
/// the process; the lock ends with the process, however that ends. Both the folder and the file are locked: a file can
/// be removed by hand, and some network file systems cannot lock folders. If the file system has no locks at all, every
/// process gets it.
class RunLock {
 public:
  /// Throws FileError, naming the owner, if another process holds it; also if the file cannot be written.
  explicit RunLock(const std::string& folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// Recreates the file if it, or the whole folder, was removed. Throws as the constructor.
  void renew();

 private:
  void introduce();
  [[noreturn]] void refuse();

  std::string folder_, path_;
  Descriptor of_folder_, file_;
};

}  // namespace rill::tools
