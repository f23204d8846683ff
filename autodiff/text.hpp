// Lists in messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rill {

/// "a, b, c".
inline std::string joined(const std::vector<std::string>& items, std::string_view separator = ", ") {
  std::string result;
  for (const std::string& item : items) {
    if (!result.empty()) result += separator;
    result += item;
  }
  return result;
}

}  // namespace rill
