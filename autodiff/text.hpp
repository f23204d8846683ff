// Numbers, names and lists in messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "autodiff/real.hpp"

namespace rill {

/// "32-64-128".
std::string joined(const std::vector<Index>& numbers, std::string_view separator);

/// "a, b, c".
inline std::string joined(const std::vector<std::string>& items, std::string_view separator = ", ") {
  std::string result;
  for (const std::string& item : items) {
    if (!result.empty()) result += separator;
    result += item;
  }
  return result;
}

/// The text in single quotes, truncated to sixty bytes, with unprintable bytes shown as \xNN: safe in a message.
std::string in_quotes(std::string_view text);

/// "8,706".
std::string grouped(Index value);

/// "1 step", "8,706 steps".
std::string counted(Index count, std::string_view unit);

/// The fewest digits that read back as the same number.
std::string exact(double value);

}  // namespace rill
