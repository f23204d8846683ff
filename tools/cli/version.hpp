// The version of rill.
#pragma once

#include <string>

namespace rill::tools {

/// "rill 0.1.0 (float)".
std::string version_text();

}  // namespace rill::tools
