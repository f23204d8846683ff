// Files that are kept open, and what others do to their names meanwhile.
#pragma once

#include <string>

namespace rill::tools {

/// False once somebody has removed the open file, or put another one in its place.
bool names_open_file(const std::string& path, int descriptor);

}  // namespace rill::tools
