#include "datasets/table_remarks.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "autodiff/error.hpp"
#include "autodiff/text.hpp"

namespace rill::datasets {
namespace {

/// "column 3 (width)".
std::string column_text(const Table& table, Index column) {
  const std::string number = concat("column ", table.index_columns + column + 1);
  if (table.names.empty() || table.names[static_cast<std::size_t>(column)].empty()) return number;
  return concat(number, " (", table.names[static_cast<std::size_t>(column)], ")");
}

/// The first few items, and how many more there are.
std::string some(std::vector<std::string> items) {
  constexpr std::size_t kShown = 5;
  if (items.size() > kShown + 1) {
    const std::size_t more = items.size() - kShown;
    items.resize(kShown);
    items.push_back(concat("and ", more, " more"));
  }
  return joined(items);
}

bool is_constant(const Table& table, Index column) {
  for (Index row = 1; row < table.rows; ++row) {
    if (table.at(row, column) != table.at(0, column)) return false;
  }
  return true;
}

/// Whether the numbers of a row are whole and increasing, like years that are the names of columns.
bool counts(const Table& table, Index row) {
  for (Index column = 0; column < table.columns; ++column) {
    const double value = table.at(row, column);
    if (value != std::floor(value) || (column > 0 && value <= table.at(row, column - 1))) return false;
  }
  return true;
}

bool may_begin_with_header(const Table& table) {
  if (!table.names.empty() || table.index_columns > 0 || table.rows < 2 || !counts(table, 0)) return false;
  for (Index row = 1; row < table.rows; ++row) {
    if (counts(table, row)) return false;
  }
  return true;
}

std::string first_row(const Table& table) {
  std::vector<std::string> numbers;
  for (Index column = 0; column < table.columns; ++column) numbers.push_back(exact(table.at(0, column)));
  return some(std::move(numbers));
}

/// Whether the second column is the first in other units: their standardized numbers are equal or opposite.
bool repeats(const Table& table, const Standardization& units, Index first, Index second) {
  const auto standardized = [&](Index row, Index j) {
    const std::size_t column = static_cast<std::size_t>(j);
    return (table.at(row, j) / 2 - units.mean[column] / 2) / (units.deviation[column] / 2);
  };
  constexpr double kRounding = 1e-9;
  bool equal = true, opposite = true;
  for (Index row = 0; row < table.rows && (equal || opposite); ++row) {
    const double a = standardized(row, first), b = standardized(row, second);
    const double near = kRounding * std::max(1.0, std::abs(a));
    equal = equal && std::abs(a - b) <= near;
    opposite = opposite && std::abs(a + b) <= near;
  }
  return equal || opposite;
}

/// The first earlier column, not constant, that this one repeats.
std::optional<Index> repeated_by(const Table& table, const Standardization& units, const std::vector<bool>& constant,
                                 Index column) {
  for (Index first = 0; first < column; ++first) {
    if (!constant[static_cast<std::size_t>(first)] && repeats(table, units, first, column)) return first;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> remarks(const Table& table, const Standardization& units) {
  require(units.columns() == table.columns, "remarks: a table of ", table.columns, " columns, a standardization of ",
          units.columns());
  std::vector<std::string> result;
  if (table.index_columns > 0) {
    const bool one = table.index_columns == 1;
    result.push_back(concat(one ? "column 1 has" : concat("columns 1 to ", table.index_columns, " have"),
                            " no name and whole numbers: taken for a row index, and left out; give ",
                            one ? "it a name" : "them names", " to learn ", one ? "it" : "them"));
  }
  if (may_begin_with_header(table)) {
    result.push_back(concat("the first row, ", first_row(table), ", is the only one of increasing whole numbers: it ",
                            "is learned as a point; if it is a header, remove it, or use names that are not numbers"));
  }
  std::vector<bool> constant;
  std::vector<std::string> constants, repetitions;
  for (Index column = 0; column < table.columns; ++column) {
    constant.push_back(table.rows > 1 && is_constant(table, column));
    if (constant.back()) {
      constants.push_back(concat(column_text(table, column), " is always ", exact(table.at(0, column))));
    } else if (table.rows > 2) {  // any two columns of two rows are the same in some units
      const std::optional<Index> first = repeated_by(table, units, constant, column);
      if (first) repetitions.push_back(concat(column_text(table, column), " repeats ", column_text(table, *first)));
    }
  }
  if (!constants.empty()) {
    result.push_back(concat(some(constants), ": learned like the others, so samples will be close but not equal, ",
                            "and likelihoods are meaningless; leave such columns out"));
  }
  if (!repetitions.empty()) {
    result.push_back(concat(some(repetitions), ", in the same or other units: learned like the others, so samples ",
                            "will agree only approximately, and likelihoods are meaningless; leave such columns out"));
  }
  return result;
}

}  // namespace rill::datasets
