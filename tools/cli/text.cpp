#include "tools/cli/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rill::tools {
namespace {

template <class... Args>
std::string formatted(const char* format, Args... args) {
  char text[64];
  std::snprintf(text, sizeof text, format, args...);
  return text;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::string one_line(std::string_view text) {
  std::string result(text);
  std::replace(result.begin(), result.end(), '\n', ' ');
  std::replace_if(result.begin(), result.end(), is_control, '?');
  return result;
}

std::string significant(double value, int digits) { return formatted("%.*g", digits, value); }

std::string duration(double seconds) {
  if (seconds < 0.9995e-3) return formatted("%.3g us", seconds * 1e6);
  if (seconds < 0.9995) return formatted("%.3g ms", seconds * 1e3);
  if (seconds < 59.95) return formatted("%.1f s", seconds);
  const auto whole = static_cast<long>(std::llround(seconds));
  if (whole < 3600) return formatted("%ld min %02ld s", whole / 60, whole % 60);
  return formatted("%ld h %02ld min", whole / 3600, whole / 60 % 60);
}

std::uint64_t hash(std::string_view bytes) {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (const char byte : bytes) value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  return value;
}

std::string shell_word(const std::string& text) {
  constexpr std::string_view kSafe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:+@%";
  if (!text.empty() && text.find_first_not_of(kSafe) == text.npos) return text;
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

}  // namespace rill::tools
