#include "autodiff/cores.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "autodiff/control_groups.hpp"

namespace rill {
namespace {

namespace fs = std::filesystem;

// The limit of one group. Comparisons with NaN are false, so a file that cannot be read sets no limit.
double limit_in(const fs::path& folder) {
  double limit = std::numeric_limits<double>::infinity();
  std::ifstream both(folder / "cpu.max");
  double new_time = 0, new_period = 0;
  if (both >> new_time >> new_period && new_time > 0 && new_period > 0) limit = new_time / new_period;
  const double old_time = number_in(folder / "cpu.cfs_quota_us");  // -1: no limit
  const double old_period = number_in(folder / "cpu.cfs_period_us");
  if (old_time > 0 && old_period > 0) limit = std::min(limit, old_time / old_period);
  return limit;
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
  return smallest_limit(groups, root, "cpu", limit_in);
}

int usable_cores() {
  const double time = std::ceil(allowed_core_time(own_control_groups(), "/sys/fs/cgroup"));
  return static_cast<int>(std::clamp(time, 1.0, static_cast<double>(std::max(1, cores_to_run_on()))));
}

}  // namespace rill
