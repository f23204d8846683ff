// Whole files: read with clear errors, and written so that a crash leaves the old file or the new one, never a mixture.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rill {

/// The extension of a file name in lowercase: ".npy" for "POINTS.NPY".
std::string file_ending(const std::string& path);

/// The size of a regular file in bytes; nullopt for a pipe or a device. Throws FileError if it is missing or a folder.
std::optional<std::size_t> file_size(const std::string& path);

/// The most that is read from a pipe or a device, which may never end: 256 MiB.
inline constexpr std::size_t kMostUnsized = std::size_t{1} << 28;

/// Is given the start of a file (64 KiB, or all of a shorter one) and its size, if known, before more is read. Throws
/// if the file cannot be valid.
using StartCheck = std::function<void(std::string_view start, std::optional<std::size_t> size)>;

/// The bytes of a file. Throws FileError if it is missing, a folder, unreadable, a pipe or device with more than
/// kMostUnsized bytes, or grows too much while it is read; and whatever `check` throws.
std::string read_file(const std::string& path, const StartCheck& check = nullptr);

/// A file that appears all at once. Writes go to `path`.partial in the same folder; commit() syncs that to the disk and
/// renames it to `path`, which stays as it was until then. A crash may leave the .partial file behind; the next write
/// to `path` overwrites it. One writer at a time for each path.
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
