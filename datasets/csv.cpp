#include "datasets/csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "autodiff/text.hpp"

namespace rill::datasets {
namespace {

std::string_view trim(std::string_view text, std::string_view what = " \t\r") {
  const std::size_t begin = text.find_first_not_of(what);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(what) - begin + 1);
}

/// The position where the quote that opens at `at` closes; npos if it never does. A doubled quote stands for one.
std::size_t closing_quote(std::string_view text, std::size_t at) {
  for (std::size_t i = text.find('"', at + 1); i != text.npos; i = text.find('"', i + 2)) {
    if (i + 1 == text.size() || text[i + 1] != '"') return i;
  }
  return text.npos;
}

bool is_separator(char c) { return c == ';' || c == '\t' || c == ',' || c == ' '; }

/// Calls `visit` with every position outside quotes, which open at the start of a field, until it returns true. Returns
/// that position, or the length of the text.
template <class Visit>
std::size_t find_unquoted(std::string_view text, const Visit& visit) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' && (i == 0 || is_separator(text[i - 1]))) {
      const std::size_t close = closing_quote(text, i);
      if (close != text.npos) i = close;
    }
    if (visit(i)) return i;
  }
  return text.size();
}

/// Removes a line from the start of `rest` and returns it. Lines end at LF, CR LF or CR outside quotes.
std::string_view take_line(std::string_view& rest) {
  std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
  const std::string_view plain = trim(rest.substr(0, end));
  if (!plain.starts_with('#') && plain.find('"') != plain.npos) {
    end = find_unquoted(rest, [&](std::size_t i) { return rest[i] == '\r' || rest[i] == '\n'; });
  }
  const std::string_view line = rest.substr(0, end);
  if (rest.substr(end, 2) == "\r\n") ++end;
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

/// The separator of a table with this first line; a space stands for any number of spaces and tabs.
char separator_of(std::string_view line) {
  const std::string_view text = trim(line);
  for (const char candidate : {';', '\t', ','}) {
    if (find_unquoted(text, [&](std::size_t i) { return text[i] == candidate; }) < text.size()) return candidate;
  }
  const bool blanks = find_unquoted(text, [&](std::size_t i) { return text[i] == ' '; }) < text.size();
  return !blanks && line.front() == '\t' ? '\t' : ' ';  // a tab before the only name follows an unnamed index
}

/// Splits a line into fields, and strips their spaces and quotes.
class Fields {
 public:
  Fields(const std::string& path, char separator)
      : path_(path), separator_(separator), blanks_(separator == '\t' ? " \r" : " \t\r") {}

  const std::vector<std::string_view>& split(std::string_view line, std::size_t line_number) {
    fields_.clear();
    line = trim(line, blanks_);
    while (true) {
      line.remove_prefix(std::min(line.find_first_not_of(blanks_), line.size()));
      std::size_t end = 0;
      if (!line.empty() && line.front() == '"') {
        const std::size_t close = closing_quote(line, 0);
        require_file(close != line.npos, path_, "line ", line_number, ", column ", fields_.size() + 1,
                     ": a quote that does not close");
        fields_.push_back(line.substr(1, close - 1));
        end = std::min(end_of_field(line.substr(close)) + close, line.size());
        require_file(trim(line.substr(close + 1, end - close - 1)).empty(), path_, "line ", line_number, ", column ",
                     fields_.size(), ": the field continues after its closing quote");
      } else {
        end = end_of_field(line);
        fields_.push_back(trim(line.substr(0, end), blanks_));
      }
      if (end == line.size()) return fields_;
      line.remove_prefix(end + 1);
    }
  }

 private:
  std::size_t end_of_field(std::string_view line) const {
    return std::min(separator_ == ' ' ? line.find_first_of(" \t") : line.find(separator_), line.size());
  }

  const std::string& path_;
  char separator_;
  std::string_view blanks_;
  std::vector<std::string_view> fields_;
};

/// A name, with doubled quotes replaced by single ones.
std::string unquoted(std::string_view field) {
  std::string name(field);
  for (std::size_t at = name.find("\"\""); at != name.npos; at = name.find("\"\"", at + 1)) name.erase(at, 1);
  return name;
}

/// The field as a number; nullopt if it is not one. A number too large for a double becomes infinite.
std::optional<double> parse(std::string_view field) {
  if (field.size() > 1 && field[0] == '+' && field[1] != '-') field.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (end != field.data() + field.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) {  // too small if the exponent is negative, else too large
    const bool tiny = field.find("e-") != field.npos || field.find("E-") != field.npos;
    return tiny ? 0.0 : HUGE_VAL;
  }
  return value;
}

bool has_decimal_comma(std::string_view field) {
  std::string with_point(field);
  std::replace(with_point.begin(), with_point.end(), ',', '.');
  return with_point != field && parse(with_point);
}

double number(const std::string& path, std::size_t line, std::size_t column, std::string_view field) {
  const auto where = concat("line ", line, ", column ", column, ": ");
  require_file(!field.empty(), path, where, "the field is empty, expected a number");
  const std::optional<double> value = parse(field);
  require_file(value.has_value(), path, where, "\"", field.substr(0, 40), "\" is not a number",
               has_decimal_comma(field) ? "; the decimal separator must be a point" : "");
  require_file(std::isfinite(*value), path, where, "\"", field.substr(0, 40), "\", expected a finite number");
  return *value;
}

/// A name as a field of a header: in quotes if it would not read back without them.
std::string quoted(const std::string& name) {
  if (!name.empty() && name.find_first_of("\"#,;\t\r\n ") == name.npos) return name;
  std::string field = "\"";
  for (const char c : name) field.append(c == '"' ? 2 : 1, c);
  return field + '"';
}

template <class T>
std::string text_of(std::span<const T> values, std::size_t columns, const std::vector<std::string>& names) {
  require(names.empty() || names.size() == columns, "to_csv: ", names.size(), " names for ", columns, " columns");
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += ',';
    text += quoted(names[i]);
  }
  if (!names.empty()) text += '\n';
  std::array<char, 64> digits{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), values[i]).ptr;
    text.append(digits.data(), end);
    text += (i + 1) % columns == 0 ? '\n' : ',';
  }
  return text;
}

void check_text(std::string_view text, const std::string& path) {
  const bool wide = text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
  require_file(!wide, path, "is UTF-16 text, expected UTF-8: save it again, as CSV UTF-8");
  require_file(text.find('\0') == text.npos, path, "holds zero bytes, expected a table as text");
}

/// How many of the first `nameless` columns are a row index: whole numbers throughout.
Index index_columns(const Table& table, Index nameless) {
  for (Index column = 0; column < nameless; ++column) {
    for (Index row = 0; row < table.rows; ++row) {
      if (table.at(row, column) != std::floor(table.at(row, column))) return column;
    }
  }
  return nameless;
}

/// The number of columns before the first one with a name. A table without any names has only data.
Index count_nameless(const std::vector<std::string>& names) {
  const auto named = std::find_if(names.begin(), names.end(), [](const std::string& name) { return !name.empty(); });
  return named == names.end() ? 0 : named - names.begin();
}

void drop_first_columns(Table& table, Index count) {
  if (!table.names.empty()) table.names.erase(table.names.begin(), table.names.begin() + count);
  auto to = table.values.begin();
  for (auto row = table.values.begin(); row != table.values.end(); row += table.columns) {
    to = std::copy(row + count, row + table.columns, to);
  }
  table.values.erase(to, table.values.end());
  table.columns -= count;
  table.index_columns = count;
}

/// Whether the fields are what pandas writes above an index and unnamed columns: an empty field, 0, 1, 2, ...
bool counts_columns(const std::vector<std::string_view>& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i] != (i == 0 ? "" : std::to_string(i - 1))) return false;
  }
  return fields.size() > 1;
}

/// The separator given by a first line for Excel: sep=;
std::optional<char> told_separator(std::string_view line, const std::string& path, std::size_t line_number) {
  constexpr std::string_view kKey = "sep=";
  if (line.size() != kKey.size() + 1 || !line.starts_with(kKey)) return std::nullopt;
  require_file(is_separator(line.back()), path, "line ", line_number, ": the separator is \"", line.back(),
               "\", expected a semicolon, a comma, a tab or a space");
  return line.back();
}

}  // namespace

Table parse_csv(std::string_view rest, const std::string& path) {
  check_text(rest, path);
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);  // the byte order mark that some programs write

  Table table;
  std::size_t columns = 0;
  Index nameless = 0;  // columns at the start
  std::optional<char> separator;
  std::optional<Fields> fields_of;
  for (std::size_t line_number = 1; !rest.empty();) {
    const std::string_view line = take_line(rest);
    const std::size_t here = line_number;
    line_number += 1 + static_cast<std::size_t>(std::count(line.begin(), line.end(), '\n'));
    if (trim(line).empty() || trim(line).starts_with('#')) continue;

    const bool first = !fields_of;
    if (first && !separator && (separator = told_separator(trim(line, "\r"), path, here))) continue;
    if (first) fields_of.emplace(path, separator.value_or(separator_of(line)));
    const std::vector<std::string_view>& fields = fields_of->split(line, here);
    if (first) columns = fields.size();
    const bool one_more = !table.names.empty() && table.rows == 0 && fields.size() == columns + 1;
    require_file(fields.size() == columns, path, "line ", here, ": ", counted(std::ssize(fields), "field"),
                 ", expected ", columns, " as in the first line",
                 one_more ? "; if R wrote its row names, write the table with row.names = FALSE" : "");
    if (first && std::none_of(fields.begin(), fields.end(), parse)) {
      for (const std::string_view field : fields) table.names.push_back(unquoted(field));
      nameless = count_nameless(table.names);
      continue;
    }
    if (first && counts_columns(fields)) {
      nameless = 1;
      continue;
    }
    for (std::size_t i = 0; i < columns; ++i) table.values.push_back(number(path, here, i + 1, fields[i]));
    ++table.rows;
  }
  require_file(table.rows > 0, path, "holds no rows of numbers");
  table.columns = static_cast<Index>(columns);
  drop_first_columns(table, index_columns(table, nameless));
  return table;
}

Table read_csv(const std::string& path) {
  return parse_csv(read_file(path, [&](std::string_view start, auto) { check_text(start, path); }), path);
}

std::string to_csv(const Tensor& values, const std::vector<std::string>& names) {
  require(values.rank() == 2, "to_csv: expected [rows, columns], got ", values.shape());
  return text_of(values.values(), static_cast<std::size_t>(values.dim(1)), names);
}

std::string to_csv(const Table& table) {
  return text_of(std::span<const double>(table.values), static_cast<std::size_t>(table.columns), table.names);
}

}  // namespace rill::datasets
