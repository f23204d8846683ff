// What the control groups of the process allow it (containers, batch systems).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace rill {

/// Of each group of this controller and those around it, the smallest of what limit_in(folder) finds in its files;
/// infinite when there is none, which limit_in() says by infinity. Both versions of control groups.
///   groups: the contents of /proc/self/cgroup;   root: the folder of the groups' files, /sys/fs/cgroup
double smallest_limit(std::string_view groups, const std::string& root, std::string_view controller,
                      const std::function<double(const std::filesystem::path& folder)>& limit_in);

/// The first number in a file; NaN when there is none, as for "max", so that comparisons with it are false.
double number_in(const std::filesystem::path& file);

/// The contents of /proc/self/cgroup.
std::string own_control_groups();

}  // namespace rill
