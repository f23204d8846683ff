#include "tools/cli/toml.hpp"

#include <algorithm>
#include <cstdint>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"

namespace rill::tools {
namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool ends_value(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == ']' || c == '#'; }

class Parser {
 public:
  Parser(std::string_view text, const std::string& file) : rest_(text), file_(file) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // some editors write it at the start of UTF-8 files
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }

  std::vector<TomlEntry> parse() {
    std::vector<TomlEntry> entries;
    for (skip_lines(); !rest_.empty(); skip_lines()) {
      TomlEntry entry{.key = key(), .values = {}, .line = line_};
      const bool twice = std::any_of(entries.begin(), entries.end(), [&](const auto& e) { return e.key == entry.key; });
      if (twice) wrong(in_quotes(entry.key), " is set a second time");
      skip_blanks();
      if (!take('=')) wrong("expected '=' after ", in_quotes(entry.key), ", found ", found());
      skip_blanks();
      entry.values = next() == '[' ? array() : std::vector{value()};
      skip_blanks();
      if (next() != '\n' && next() != '#' && !rest_.empty()) {
        wrong("expected the end of the line after the value of ", in_quotes(entry.key), ", found ", found());
      }
      entries.push_back(std::move(entry));
    }
    return entries;
  }

 private:
  template <class... Args>
  [[noreturn]] void wrong(const Args&... what) const {
    fail(file_, ": line ", line_, ": ", what...);
  }

  char next() const { return rest_.empty() ? '\0' : rest_.front(); }

  char advance() {
    const char c = rest_.front();
    line_ += c == '\n';
    rest_.remove_prefix(1);
    return c;
  }

  bool take(char c) {
    if (rest_.empty() || next() != c) return false;
    advance();
    return true;
  }

  void skip_blanks() {
    while (next() == ' ' || next() == '\t' || next() == '\r') advance();
  }

  void skip_lines() {
    for (skip_blanks(); next() == '\n' || next() == '#'; skip_blanks()) {
      while (!rest_.empty() && next() != '\n') advance();
      take('\n');
    }
  }

  // The text at the current position, for messages.
  std::string found() const {
    if (rest_.empty()) return "the end of the file";
    if (next() == '\n') return "the end of the line";
    return in_quotes(rest_.substr(0, rest_.find('\n')));
  }

  std::string key() {
    if (next() == '[') wrong("tables are not used here; expected key = value, found ", found());
    std::string name;
    while (is_bare(next())) name += advance();
    if (name.empty()) wrong("expected key = value, found ", found());
    return name;
  }

  std::vector<std::string> array() {
    const int first_line = line_;
    advance();
    std::vector<std::string> values;
    for (skip_lines(); !take(']'); skip_lines()) {
      if (!rest_.empty()) values.push_back(value());
      skip_lines();
      if (rest_.empty()) wrong("the array that starts on line ", first_line, " does not end");
      if (!take(',') && next() != ']') wrong("expected ',' or ']' in the array, found ", found());
    }
    return values;
  }

  std::string value() {
    if (next() == '"') return basic_string();
    if (next() == '\'') return literal_string();
    std::string text;
    while (!rest_.empty() && !ends_value(next())) text += advance();
    const bool plausible = text == "true" || text == "false" || text == "inf" || text == "nan" ||
                           (!text.empty() && text.find_first_not_of("0123456789+-.eE_") == text.npos);
    if (!plausible && text.empty()) wrong("expected a value, found ", found());
    if (!plausible) wrong("expected a number, true, false, a string in quotes or an array, found ", in_quotes(text));
    text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
    return text;
  }

  std::string literal_string() {
    advance();
    std::string text;
    while (next() != '\'') text += string_character();
    advance();
    return text;
  }

  std::string basic_string() {
    advance();
    std::string text;
    while (next() != '"') {
      const char c = string_character();
      text += c == '\\' ? escape() : c;
    }
    advance();
    return text;
  }

  char string_character() {
    if (rest_.empty() || next() == '\n') wrong("the string does not end");
    return advance();
  }

  char escape() {
    switch (const char c = string_character()) {
      case '"':
      case '\\':
        return c;
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      default:
        wrong("unknown escape '\\", c, "' in a string; there are \\\" \\\\ \\n \\t \\r");
    }
  }

  std::string_view rest_;
  const std::string& file_;
  int line_ = 1;
};

}  // namespace

std::vector<TomlEntry> parse_toml(std::string_view text, const std::string& file) { return Parser(text, file).parse(); }

std::string toml_string(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
      case '\\':
        result += '\\';
        result += c;
        break;
      case '\n':
        result += "\\n";
        break;
      case '\t':
        result += "\\t";
        break;
      case '\r':
        result += "\\r";
        break;
      default:
        result += c;
    }
  }
  return result + '"';
}

}  // namespace rill::tools
