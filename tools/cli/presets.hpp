// Presets: settings that come with the programs.
#pragma once

#include <string>

namespace rill::tools {

/// The path of a preset's file. Installed programs look in ../../share/rill/presets, relative to their folder; those in
/// a build folder look in the source tree. Throws UsageError, listing the presets, for an unknown one.
std::string find_preset(const std::string& name);

/// "annulus, annulus-plain, ...".
std::string preset_names();

}  // namespace rill::tools
