// The limits that control groups (cgroups) set for this process, as in containers and batch systems.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace rill {

/// The smallest limit_in(folder) over the process's groups of this controller and all their ancestors; infinity where
/// there is no limit. limit_in() returns infinity for a group without one. Reads cgroup v1 and v2.
///   groups: the contents of /proc/self/cgroup;   root: the folder of the groups' files, /sys/fs/cgroup
double smallest_limit(std::string_view groups, const std::string& root, std::string_view controller,
                      const std::function<double(const std::filesystem::path& folder)>& limit_in);

/// The first number in a file, or NaN if there is none (as in "max"), so that comparisons with it are false.
double number_in(const std::filesystem::path& file);

/// The contents of /proc/self/cgroup.
std::string own_control_groups();

}  // namespace rill
