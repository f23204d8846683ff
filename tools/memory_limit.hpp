// Refuses work that does not fit into memory before it begins: the system overcommits memory, and kills the program
// when it uses more than there is.
#pragma once

#include <string>
#include <string_view>

#include "autodiff/real.hpp"

namespace rill::tools {

/// The most bytes that this process may use: the machine's memory, or less if its control groups allow less.
double usable_memory();

/// The limit of control groups alone: memory.max (cgroup v2) or memory.limit_in_bytes (v1), infinity without a
/// limit.   groups: the contents of /proc/self/cgroup;   root: the folder of the groups' files
double allowed_memory(std::string_view groups, const std::string& root);

/// Throws UsageError, naming the option and its value, if this many Reals do not fit.
void require_fits(const char* option, Index value, double numbers);

}  // namespace rill::tools
