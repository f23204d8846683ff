#include "tools/cli/run_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "tools/cli/open_file.hpp"
#include "tools/cli/text.hpp"

namespace rill::tools {
namespace {

std::string this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return concat("process ", ::getpid(), " on ", host.data());
}

// False if another process holds the lock.
bool lock(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; }

}  // namespace

RunLock::RunLock(const std::string& folder)
    : folder_(folder), path_((std::filesystem::path(folder) / "lock").string()) {
  renew();
}

RunLock::~RunLock() {
  if (names_open_file(path_, file_.number())) ::unlink(path_.c_str());
}

// Safe, because the folder stays locked while its file is recreated.
void RunLock::renew() {
  if (!names_open_file(folder_, of_folder_.number())) {
    of_folder_ = Descriptor(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    require_file(of_folder_.number() >= 0, folder_, "cannot open: ", std::strerror(errno));
    if (!lock(of_folder_.number())) refuse();
  }
  while (!names_open_file(path_, file_.number())) {
    file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    require_file(file_.number() >= 0, path_, "cannot write: ", std::strerror(errno));
    if (!lock(file_.number())) refuse();
    // The previous owner may have removed the file after it was opened here: then this lock would keep nobody out.
    if (names_open_file(path_, file_.number())) introduce();
  }
}

void RunLock::introduce() {
  const std::string text = this_process();
  const bool written =
      ::ftruncate(file_.number(), 0) == 0 && ::pwrite(file_.number(), text.data(), text.size(), 0) >= 0;
  require_file(written, path_, "cannot write: ", std::strerror(errno));
}

void RunLock::refuse() {
  std::string who;
  if (std::filesystem::exists(path_)) who = one_line(read_file(path_));
  file_ = Descriptor();
  throw FileError(folder_, who.empty() ? "another process" : who,
                  " is training in this folder; wait until it ends, stop it, or choose another folder");
}

}  // namespace rill::tools
