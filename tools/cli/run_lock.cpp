#include "tools/cli/run_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "autodiff/error.hpp"
#include "tools/cli/open_file.hpp"
#include "tools/cli/text.hpp"

namespace rill::tools {
namespace {

std::string this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return concat("process ", ::getpid(), " on ", host.data());
}

// What the holder has written about itself.
std::string holder(int descriptor) {
  std::array<char, 300> text{};
  const ssize_t count = ::pread(descriptor, text.data(), text.size(), 0);
  return count > 0 ? one_line({text.data(), static_cast<std::size_t>(count)}) : "another process";
}

}  // namespace

RunLock::RunLock(const std::string& folder)
    : folder_(folder), path_((std::filesystem::path(folder) / "lock").string()) {
  take();
}

RunLock::~RunLock() {
  if (names_open_file(path_, descriptor_)) ::unlink(path_.c_str());
  ::close(descriptor_);
}

void RunLock::renew() {
  if (names_open_file(path_, descriptor_)) return;
  ::close(descriptor_);
  take();
}

void RunLock::take() {
  do {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    require_file(descriptor_ >= 0, path_, "cannot write: ", std::strerror(errno));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      const std::string who = holder(descriptor_);
      ::close(descriptor_);
      throw FileError(folder_, who,
                      " is training in this folder; wait until it ends, stop it, or choose another folder");
    }
    // Whoever had it before may have removed the file after it was opened here: then this lock keeps nobody out.
  } while (!names_open_file(path_, descriptor_) && ::close(descriptor_) == 0);
  const std::string text = this_process();
  const bool written = ::ftruncate(descriptor_, 0) == 0 && ::pwrite(descriptor_, text.data(), text.size(), 0) >= 0;
  require_file(written, path_, "cannot write: ", std::strerror(errno));
}

}  // namespace rill::tools
