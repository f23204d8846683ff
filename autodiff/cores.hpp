// How many cores this process may use.
#pragma once

#include <string>
#include <string_view>

namespace rill {

/// The cores that the process may run on (taskset, cpusets), but no more than the time that its control groups allow it
/// is worth (containers), rounded up. At least 1. Where the system tells neither, the cores of the machine.
int usable_cores();

/// That time: cores' worth, infinite without a limit. Of each group and those around it the smallest limit counts: its
/// cpu.max (cgroup v2), or cpu.cfs_quota_us by cpu.cfs_period_us (v1).
///   groups: the contents of /proc/self/cgroup;   root: the folder of the groups' files, /sys/fs/cgroup
double allowed_core_time(std::string_view groups, const std::string& root);

}  // namespace rill
