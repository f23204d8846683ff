// Configuration files: the subset of TOML that a list of settings needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rill::tools {

/// One line `key = value` of a file.
struct TomlEntry {
  std::string key;
  std::vector<std::string> values;  ///< one for a plain value, any number for an array; strings are unquoted
  int line;                         ///< counted from 1
};

/// Reads keys with a string ("basic" or 'literal'), a number, true, false, or an array of these, which may run over
/// several lines; comments and blank lines. That is TOML 1.0 without tables, dates, dotted keys and multi-line strings.
/// Messages begin with `file`. Throws std::invalid_argument, naming the line, for anything else and for a key that
/// occurs twice.
std::vector<TomlEntry> parse_toml(std::string_view text, const std::string& file);

/// A string as a TOML value, in quotes.
std::string toml_string(const std::string& text);

}  // namespace rill::tools
