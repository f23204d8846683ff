#include "datasets/labels.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/names.hpp"
#include "autodiff/text.hpp"

namespace rill::datasets {
namespace {

// Counted from 0.
Index find_column(const Table& table, const std::string& column, const std::string& file) {
  std::vector<std::string> names = table.names;
  if (names.empty()) {
    for (Index c = 1; c <= table.columns; ++c) names.push_back(std::to_string(c));
  }
  const auto found = std::find(names.begin(), names.end(), column);
  require_file(found != names.end(), file, unknown_name("column", column, names));
  return static_cast<Index>(found - names.begin());
}

}  // namespace

Labels take_labels(Table& table, const std::string& column, const std::string& file) {
  const Index c = find_column(table, column, file);
  require_file(table.columns > 1, file, "the labels are its only column, expected others with the points");
  Labels labels;
  for (Index row = 0; row < table.rows; ++row) {
    const double value = table.at(row, c);
    require_file(value == std::floor(value), file, "row ", row + 1, " of the column ", in_quotes(column), " is ",
                 exact(value), ", expected a whole number as its label");
    labels.values.push_back(value);
  }
  const std::vector<double> all = labels.values;
  std::sort(labels.values.begin(), labels.values.end());
  labels.values.erase(std::unique(labels.values.begin(), labels.values.end()), labels.values.end());

  std::vector<Index> classes;
  std::vector<double> points;
  for (Index row = 0; row < table.rows; ++row) {
    const auto value = std::lower_bound(labels.values.begin(), labels.values.end(), all[static_cast<std::size_t>(row)]);
    classes.push_back(static_cast<Index>(value - labels.values.begin()));
    for (Index other = 0; other < table.columns; ++other) {
      if (other != c) points.push_back(table.at(row, other));
    }
  }
  labels.classes = Indices(std::move(classes));
  table.values = std::move(points);
  --table.columns;
  if (!table.names.empty()) table.names.erase(table.names.begin() + c);
  return labels;
}

}  // namespace rill::datasets
