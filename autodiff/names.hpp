// Names from a list: checks, and error texts for those that are unknown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rill {

/// " (did you mean euler?)" if one of the known names is a typo away: a few characters missing, extra, wrong, or
/// swapped with their neighbor. Empty otherwise.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known);

/// "unknown solver 'eulr' (did you mean euler?); known: euler, midpoint".
std::string unknown_name(std::string_view what, std::string_view name, const std::vector<std::string>& known);

/// Fails with unknown_name's text unless the name is one of the known.
void require_known(std::string_view what, std::string_view name, const std::vector<std::string>& known);

}  // namespace rill
