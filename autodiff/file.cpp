#include "autodiff/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "autodiff/error.hpp"

namespace rill {
namespace {

[[noreturn]] void fail_with_reason(const std::string& path, const char* what) {
  throw FileError(path, what, ": ", std::strerror(errno));
}

/// The folder that holds `path`.
std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

/// A rename is durable once its folder is synced. Some file systems cannot sync a folder, and need not.
void sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

/// nullopt for anything but a regular file.
std::optional<std::size_t> size_of(const std::string& path, const struct stat& status) {
  require_file(!S_ISDIR(status.st_mode), path, "is a folder, expected a file");
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return static_cast<std::size_t>(status.st_size);
}

/// Reads into contents[filled...] until `contents` is full or the file ends. Returns the number of bytes then filled.
std::size_t read_until_full(const std::string& path, int descriptor, std::string& contents, std::size_t filled) {
  while (filled < contents.size()) {
    const ssize_t count = ::read(descriptor, contents.data() + filled, contents.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_with_reason(path, "cannot read");
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

}  // namespace

std::string file_ending(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return ending;
}

std::optional<std::size_t> file_size(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail_with_reason(path, "cannot open");
  return size_of(path, status);
}

std::string read_file(const std::string& path, const StartCheck& check) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_with_reason(path, "cannot open");
  struct Closer {
    int descriptor;
    ~Closer() { ::close(descriptor); }
  } closer{descriptor};

  struct stat status {};
  if (::fstat(descriptor, &status) != 0) fail_with_reason(path, "cannot read");
  const std::optional<std::size_t> size = size_of(path, status);

  constexpr std::size_t kStart = std::size_t{1} << 16;
  std::string contents(kStart, '\0');
  std::size_t filled = read_until_full(path, descriptor, contents, 0);
  if (check) check(std::string_view(contents).substr(0, filled), size);
  // The size is only a first guess: a pipe has none, and a file may grow.
  const std::size_t most = std::max(size.value_or(0), kMostUnsized);
  while (filled == contents.size()) {
    require_file(filled <= most, path, size ? "grows while it is read" : "is a pipe or a device that does not end",
                 " after ", most, " bytes; expected a regular file");
    contents.resize(std::min(most, std::max(2 * filled, size.value_or(0))) + 1);
    filled = read_until_full(path, descriptor, contents, filled);
  }
  contents.resize(filled);
  return contents;
}

AtomicFile::AtomicFile(const std::string& path) : path_(path), target_(path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  require_file(!std::filesystem::is_directory(status), path, "is a folder, expected the name of a file");
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status)) {
    if (std::filesystem::is_symlink(path, ignored)) target_ = std::filesystem::weakly_canonical(path).string();
    const std::string folder = folder_of(target_);
    require_file(std::filesystem::is_directory(folder, ignored), path, "the folder ", folder, " does not exist");
    temporary_ = target_ + ".partial";
  }
  const std::string& name = temporary_.empty() ? target_ : temporary_;
  descriptor_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_with_reason(path, "cannot write");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t count = ::write(descriptor_, next, bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_with_reason(path_, "cannot write");
    next += count;
    bytes -= static_cast<std::size_t>(count);
  }
}

void AtomicFile::commit() {
  if (!temporary_.empty() && ::fsync(descriptor_) != 0) fail_with_reason(path_, "cannot write");
  if (!temporary_.empty() && ::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail_with_reason(path_, "cannot replace the file");
  }
  // Renamed: there is nothing left to remove.
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail_with_reason(path_, "cannot write");
  if (!temporary_.empty()) sync_folder(folder_of(target_));
}

void write_file_atomically(const std::string& path, std::string_view contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

}  // namespace rill
