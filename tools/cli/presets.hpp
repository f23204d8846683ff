// Presets: settings that come with the programs.
#pragma once

#include <string>
#include <vector>

namespace rill::tools {

/// The path of a preset's file. Installed programs look in ../../share/rill/presets, relative to their folder; those in
/// a build folder look in the source tree. Throws UsageError, listing the presets, for an unknown one.
std::string find_preset(const std::string& name);

/// The presets, sorted: "annulus", "tong/ot-cfm". Each is a file NAME.toml in that folder.
std::vector<std::string> preset_names();

}  // namespace rill::tools
