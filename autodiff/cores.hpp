// How many cores this process may use.
#pragma once

#include <string>
#include <string_view>

namespace rill {

/// The number of cores that the process may run on (taskset, cpusets), capped by the CPU time that its control groups
/// allow (containers), rounded up. At least 1. If the system reports neither, the number of cores of the machine.
int usable_cores();

/// The allowed CPU time, in cores; infinity without a limit. It is the smallest limit of the process's groups and their
/// ancestors: cpu.max (cgroup v2), or cpu.cfs_quota_us / cpu.cfs_period_us (v1).
///   groups: the contents of /proc/self/cgroup;   root: the folder of the groups' files, /sys/fs/cgroup
double allowed_core_time(std::string_view groups, const std::string& root);

}  // namespace rill
