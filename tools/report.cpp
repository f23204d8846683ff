#include "tools/report.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"
#include "tools/cli/text.hpp"

namespace rill::tools {
namespace {

std::string value_text(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.string();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_integer()) return grouped(value.get<Index>());
  if (value.is_number()) return significant(value.number(), 4);
  std::vector<std::string> parts;
  for (const Json& item : value.array()) parts.push_back(value_text(item));
  return joined(parts);
}

struct Line {
  std::string name, value;
};

// Values with their standard errors; lists have a list of these.
std::string with_error(const Json& value, const Json& error) {
  if (!value.is_array()) return value_text(value) + " +- " + (error.is_number() ? significant(error.number(), 2) : "?");
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < value.array().size(); ++i)
    parts.push_back(with_error(value.array()[i], error.array()[i]));
  return joined(parts);
}

void add_lines(const Json& object, const std::string& before, std::vector<Line>& lines) {
  for (const auto& [key, value] : object.object()) {
    if (key == "notes") continue;
    if (key.ends_with("_se") && object.contains(key.substr(0, key.size() - 3))) continue;
    std::string name = before + key;
    std::replace(name.begin(), name.end(), '_', ' ');
    if (value.is_object()) {
      add_lines(value, name + ": ", lines);
    } else {
      const Json* error = object.find(key + "_se");
      lines.push_back({name, error != nullptr ? with_error(value, *error) : value_text(value)});
    }
  }
}

}  // namespace

std::string as_table(const Json& result) {
  std::vector<Line> lines;
  add_lines(result, "", lines);
  std::size_t width = 0;
  for (const Line& line : lines) width = std::max(width, line.name.size());
  const auto padded = [&](const std::string& name) { return name + std::string(width + 3 - name.size(), ' '); };
  std::string text;
  for (const Line& line : lines) text += padded(line.name) + line.value + "\n";
  const Json* notes = result.find("notes");
  if (notes == nullptr) return text;
  text += "\nnotes\n";
  for (const auto& [about, note] : notes->object()) text += concat("  ", about, ": ", note.string(), "\n");
  return text;
}

}  // namespace rill::tools
