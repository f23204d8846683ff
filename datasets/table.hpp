// Numbers in rows and columns.
#pragma once

#include <string>
#include <vector>

#include "autodiff/real.hpp"

namespace rill::datasets {

/// Numbers in rows and columns, as a file holds them. In double, whatever a Real is: a time stamp has more digits than
/// a float.
struct Table {
  Index rows = 0, columns = 0;
  std::vector<double> values;      ///< [rows, columns], row after row
  std::vector<std::string> names;  ///< of the columns; none where the file has none
  Index index_columns = 0;         ///< at the start of the file, left out here: its index of the rows

  double at(Index row, Index column) const { return values[static_cast<std::size_t>(row * columns + column)]; }
};

}  // namespace rill::datasets
