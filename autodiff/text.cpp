#include "autodiff/text.hpp"

#include <charconv>
#include <cstdio>

#include "autodiff/error.hpp"

namespace rill {
namespace {

// "\x0a"
std::string hexadecimal(unsigned char byte) {
  char text[5];
  std::snprintf(text, sizeof text, "\\x%02x", static_cast<unsigned>(byte));
  return text;
}

}  // namespace

std::string joined(const std::vector<Index>& numbers, std::string_view separator) {
  std::vector<std::string> texts;
  for (const Index number : numbers) texts.push_back(std::to_string(number));
  return joined(texts, separator);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string result = "'";
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte < 0x20 || byte >= 0x7f ? hexadecimal(byte) : std::string(1, c);
  }
  return result + (text.size() > kLongest ? "...'" : "'");
}

std::string grouped(Index value) {
  const std::string digits = std::to_string(value);
  std::string result;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const bool separates = i > 0 && digits[i - 1] != '-' && (digits.size() - i) % 3 == 0;
    if (separates) result += ',';
    result += digits[i];
  }
  return result;
}

std::string counted(Index count, std::string_view unit) {
  return concat(grouped(count), " ", unit, count == 1 ? "" : "s");
}

std::string exact(double value) {
  char text[64];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

}  // namespace rill
