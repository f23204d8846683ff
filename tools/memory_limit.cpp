#include "tools/memory_limit.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>

#include "autodiff/control_groups.hpp"
#include "autodiff/error.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/text.hpp"

namespace rill::tools {
namespace {

double limit_in(const std::filesystem::path& folder) {
  double limit = std::numeric_limits<double>::infinity();
  for (const char* file : {"memory.max", "memory.limit_in_bytes"}) {
    const double bytes = number_in(folder / file);
    if (bytes >= 0) limit = std::min(limit, bytes);
  }
  return limit;
}

std::string size_text(double bytes) {
  return bytes < 1e12 ? significant(bytes * 1e-9, 3) + " GB" : significant(bytes * 1e-12, 3) + " TB";
}

}  // namespace

double allowed_memory(std::string_view groups, const std::string& root) {
  return smallest_limit(groups, root, "memory", limit_in);
}

double usable_memory() {
  const double machine = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  return std::min(machine, allowed_memory(own_control_groups(), "/sys/fs/cgroup"));
}

void require_fits(const char* option, Index value, double numbers) {
  const double needed = numbers * static_cast<double>(sizeof(Real)), there = usable_memory();
  if (needed <= there) return;
  throw UsageError(concat("--", option, ": ", value, " takes ", size_text(needed),
                          " of memory at least, and there are ", size_text(there), "; make it smaller"));
}

}  // namespace rill::tools
