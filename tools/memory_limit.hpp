// Work that this machine's memory cannot hold, refused before it begins: the system grants memory that is not there,
// and ends the program when it is used.
#pragma once

#include <string>
#include <string_view>

#include "autodiff/real.hpp"

namespace rill::tools {

/// The bytes that this process may use at most: the machine's memory, or less where its control groups allow less.
double usable_memory();

/// The same of control groups alone: their memory.max (cgroup v2) or memory.limit_in_bytes (v1), infinite without a
/// limit.   groups: the contents of /proc/self/cgroup;   root: the folder of the groups' files
double allowed_memory(std::string_view groups, const std::string& root);

/// Throws UsageError, naming the option and its value, when so many Reals, at least, do not fit.
void require_fits(const char* option, Index value, double numbers);

}  // namespace rill::tools
