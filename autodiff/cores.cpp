#include "autodiff/cores.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

namespace rill {
namespace {

namespace fs = std::filesystem;

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

// A number from a file; NaN when there is none, as for "max".
double number_in(std::istream& file) {
  double number = 0;
  return file >> number ? number : std::numeric_limits<double>::quiet_NaN();
}

// Of one group. Comparisons with NaN are false, so what cannot be read is no limit.
double limit_in(const fs::path& folder) {
  std::ifstream both(folder / "cpu.max"), quota(folder / "cpu.cfs_quota_us"), period(folder / "cpu.cfs_period_us");
  double limit = kUnlimited;
  const double new_time = number_in(both), new_period = number_in(both);
  if (new_time > 0 && new_period > 0) limit = new_time / new_period;
  const double old_time = number_in(quota), old_period = number_in(period);  // -1 stands for no limit
  if (old_time > 0 && old_period > 0) limit = std::min(limit, old_time / old_period);
  return limit;
}

// Of a group and those around it.   path: "/a/b"
double limit_up_from(const fs::path& mount, const std::string& path) {
  double limit = kUnlimited;
  // A container may see its own group as the root, under a path that only its host knows.
  for (fs::path group = fs::path(path).relative_path();; group = group.parent_path()) {
    limit = std::min(limit, limit_in(mount / group));
    if (group.empty()) return limit;
  }
}

int cores_to_run_on() {
#if defined(__linux__)
  for (int largest = CPU_SETSIZE; largest <= 1 << 20; largest *= 2) {
    cpu_set_t* set = CPU_ALLOC(largest);
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(largest);
    const bool known = ::sched_getaffinity(0, bytes, set) == 0;  // fails when the machine has more cores than that
    const int count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (known) return count;
  }
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

double allowed_core_time(std::string_view groups, const std::string& root) {
  double limit = kUnlimited;
  // Lines such as "0::/user.slice" (v2) and "4:cpu,cpuacct:/docker/1a2b" (v1).
  std::istringstream lines{std::string(groups)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    const bool limits_time = controllers.empty() || ("," + controllers + ",").find(",cpu,") != line.npos;
    if (limits_time) limit = std::min(limit, limit_up_from(fs::path(root) / controllers, path));
  }
  return limit;
}

int usable_cores() {
  std::ostringstream groups;
  groups << std::ifstream("/proc/self/cgroup").rdbuf();
  const double time = std::ceil(allowed_core_time(groups.str(), "/sys/fs/cgroup"));
  return static_cast<int>(std::clamp(time, 1.0, static_cast<double>(std::max(1, cores_to_run_on()))));
}

}  // namespace rill
