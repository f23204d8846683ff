#include "tools/cli/open_file.hpp"

#include <sys/stat.h>

namespace rill::tools {

bool names_open_file(const std::string& path, int descriptor) {
  struct stat open {
  }, named{};
  return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

}  // namespace rill::tools
