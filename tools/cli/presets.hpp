// Settings that come with the programs.
#pragma once

#include <string>

namespace rill::tools {

/// The path of a preset's file. Installed programs look in ../../share/rill/presets, seen from their own folder; those
/// in a build folder in the source tree. Throws UsageError, listing the presets there are, for an unknown one.
std::string find_preset(const std::string& name);

/// "annulus, annulus-plain, ...".
std::string preset_names();

}  // namespace rill::tools
