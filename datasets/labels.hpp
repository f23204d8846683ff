// Class labels from a column of a table.
#pragma once

#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "datasets/table.hpp"

namespace rill::datasets {

/// A column of labels as classes 0, 1, 2, ...
struct Labels {
  Indices classes;             ///< [rows]
  std::vector<double> values;  ///< the numbers that stood in the column, in ascending order: class k had values[k]

  Index count() const { return static_cast<Index>(values.size()); }
};

/// Takes a column out of the table: its different numbers, in ascending order, become the classes. `column` is its
/// name, or its number, counted from 1, in a table without names. `file` begins the messages. Throws FileError when
/// there is no such column, it is the only one, or its numbers are not whole.
Labels take_labels(Table& table, const std::string& column, const std::string& file);

}  // namespace rill::datasets
