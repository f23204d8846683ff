#include "datasets/csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"

namespace rill::datasets {
namespace {

std::string_view trim(std::string_view text, std::string_view what = " \t\r") {
  const std::size_t begin = text.find_first_not_of(what);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(what) - begin + 1);
}

/// The separator of a table whose first line is given; a blank stands for any number of blanks.
char separator_of(std::string_view line) {
  for (const char candidate : {';', '\t', ','}) {
    if (line.find(candidate) != line.npos) return candidate;
  }
  return ' ';
}

std::vector<std::string_view> split(std::string_view line, char separator) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t end = line.find(separator);
    std::string_view field = trim(line.substr(0, end));
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') field = field.substr(1, field.size() - 2);
    fields.push_back(field);
    if (end == line.npos) return fields;
    line.remove_prefix(end + 1);
    if (separator == ' ') line = trim(line);
  }
}

/// The field as a number; nothing when it is none. What is too large for a double becomes infinite.
std::optional<double> parse(std::string_view field) {
  if (field.size() > 1 && field[0] == '+' && field[1] != '-') field.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (end != field.data() + field.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) {  // the exponent's sign tells whether it is too large or too small
    const bool tiny = field.find("e-") != field.npos || field.find("E-") != field.npos;
    return tiny ? 0.0 : HUGE_VAL;
  }
  return value;
}

double number(const std::string& path, std::size_t line, std::size_t column, std::string_view field) {
  const auto where = concat("line ", line, ", column ", column, ": ");
  require_file(!field.empty(), path, where, "the field is empty, expected a number");
  const std::optional<double> value = parse(field);
  require_file(value.has_value(), path, where, "\"", field.substr(0, 40), "\" is not a number");
  require_file(std::isfinite(*value), path, where, "\"", field.substr(0, 40), "\", expected a finite number");
  return *value;
}

template <class T>
std::string text_of(std::span<const T> values, std::size_t columns, const std::vector<std::string>& names) {
  require(names.empty() || names.size() == columns, "to_csv: ", names.size(), " names for ", columns, " columns");
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : ",") + names[i];
  if (!names.empty()) text += '\n';
  std::array<char, 64> digits{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), values[i]).ptr;
    text.append(digits.data(), end);
    text += (i + 1) % columns == 0 ? '\n' : ',';
  }
  return text;
}

}  // namespace

Table parse_csv(std::string_view rest, const std::string& path) {
  require_file(rest.find('\0') == rest.npos, path, "holds zero bytes, expected a table as text");
  if (rest.substr(0, 3) == "\xef\xbb\xbf") rest.remove_prefix(3);  // the byte order mark some programs write

  Table table;
  std::size_t columns = 0;
  char separator = 0;
  for (std::size_t line_number = 1; !rest.empty(); ++line_number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trim(rest.substr(0, end), separator == '\t' ? " \r" : " \t\r");
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (trim(line).empty() || line.front() == '#') continue;

    const bool first = separator == 0;
    if (first) separator = separator_of(line);
    const std::vector<std::string_view> fields = split(line, separator);
    if (first) columns = fields.size();
    require_file(fields.size() == columns, path, "line ", line_number, ": ", fields.size(), " fields, expected ",
                 columns, " as in the first line");
    if (first && std::none_of(fields.begin(), fields.end(), parse)) {
      table.names.assign(fields.begin(), fields.end());
      continue;
    }
    for (std::size_t i = 0; i < columns; ++i) table.values.push_back(number(path, line_number, i + 1, fields[i]));
    ++table.rows;
  }
  require_file(table.rows > 0, path, "holds no rows of numbers");
  table.columns = static_cast<Index>(columns);
  return table;
}

Table read_csv(const std::string& path) { return parse_csv(read_file(path), path); }

std::string to_csv(const Tensor& values, const std::vector<std::string>& names) {
  require(values.rank() == 2, "to_csv: expected [rows, columns], got ", values.shape());
  return text_of(values.values(), static_cast<std::size_t>(values.dim(1)), names);
}

std::string to_csv(const Table& table) {
  return text_of(std::span<const double>(table.values), static_cast<std::size_t>(table.columns), table.names);
}

}  // namespace rill::datasets
