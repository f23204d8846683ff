// Names that are looked up, and what to say of one that is not there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rill {

/// " (did you mean euler?)" when one of the known names is a slip of the hand away from this one: a few characters
/// that are missing, too many, others, or swapped with their neighbor. Empty otherwise.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known);

/// "unknown solver 'eulr' (did you mean euler?); known: euler, midpoint".
std::string unknown_name(std::string_view what, std::string_view name, const std::vector<std::string>& known);

}  // namespace rill
