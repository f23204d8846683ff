// Whole files: read with clear errors, and written so that a crash leaves either the old file or the new one.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rill {

/// The ending of a file's name in small letters: ".npy" of "POINTS.NPY".
std::string file_ending(const std::string& path);

/// The size of a regular file in bytes; nothing for a pipe or a device, which have none. Throws FileError when it is
/// missing or a folder.
std::optional<std::size_t> file_size(const std::string& path);

/// How much is read of what has no size, such as a pipe: a device may have no end. 256 MiB.
inline constexpr std::size_t kMostUnsized = std::size_t{1} << 28;

/// Sees how a file starts (64 KiB, or all of a shorter one) and its size, if it has one, before more is read, and
/// throws when the rest cannot be of use.
using StartCheck = std::function<void(std::string_view start, std::optional<std::size_t> size)>;

/// The bytes of a file. Throws FileError when it is missing, a folder or unreadable, has no size and more than
/// kMostUnsized bytes, or grows by more than that while it is read; and what `check` throws.
std::string read_file(const std::string& path, const StartCheck& check = nullptr);

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
