// JSON in and out, the same way for every file that holds some. For .cpp files: it needs nlohmann_json, which no user
// of the library does.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace rill {

/// What the text holds. `what` begins the messages: "the header".
/// Throws std::invalid_argument for text that is not JSON or not UTF-8, for a key that stands twice in an object (the
/// parser alone would keep the last), and for lists and objects more than kMaxDepth deep: they could not be copied or
/// printed without overflowing the stack.
nlohmann::json parse_json(std::string_view text, const std::string& what);
inline constexpr int kMaxDepth = 32;

/// The value for parse_json() to read back: on one line, or where an indentation is given with each part on a line of
/// its own, indented by so many spaces a level. Strings that are values may hold any bytes, as a file's path
/// may: see to_utf8(). Throws std::invalid_argument for a key that is not UTF-8.
std::string dump_json(nlohmann::ordered_json value, int indentation = -1);

/// Any bytes as UTF-8, which they stay when they are UTF-8 already. Each byte b that is no part of it becomes the
/// character U+EF00 + b, of Unicode's private use area, and so does each byte of such a character (the scheme of
/// OPTU-8, "raw octets" in the ConScript registry). parse_json() and dump_json() do it to every string that is a value.
std::string to_utf8(std::string_view bytes);
/// The inverse.
std::string from_utf8(std::string_view text);

}  // namespace rill
