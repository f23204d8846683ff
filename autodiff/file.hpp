// Whole files: read with clear errors, and written so that a crash leaves either the old file or the new one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rill {

/// The bytes of a file. Throws FileError when it is missing, a folder or unreadable.
std::string read_file(const std::string& path);

/// A file that appears all at once. What is written goes to `path`.partial in the same folder; commit() syncs that to
/// the disk and renames it to `path`, which until then is left as it was. A crash may leave the .partial file behind;
/// the next write to `path` takes it over. One writer at a time for a path.
/// A symbolic link is followed; a device or a pipe, which cannot be replaced, is written directly.
/// Every function throws FileError, which names `path` and the system's reason (no such folder, no space left, ...).
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  /// Removes the .partial file unless commit() was reached.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();

 private:
  std::string path_;       // as the caller named it, for messages
  std::string target_;     // with links followed
  std::string temporary_;  // empty when writing directly
  int descriptor_ = -1;
};

/// Writes a whole file through AtomicFile.
void write_file_atomically(const std::string& path, std::string_view contents);

}  // namespace rill
