// Numbers in rows and columns.
#pragma once

#include <string>
#include <vector>

#include "autodiff/real.hpp"

namespace rill::datasets {

/// Numbers in rows and columns, as in a file. In double in every build: a timestamp has more digits than a float.
struct Table {
  Index rows = 0, columns = 0;
  std::vector<double> values;      ///< [rows, columns], row-major
  std::vector<std::string> names;  ///< of the columns; empty if the file has none
  Index index_columns = 0;         ///< number of row-index columns at the start of the file, which are left out here

  double at(Index row, Index column) const { return values[static_cast<std::size_t>(row * columns + column)]; }
};

}  // namespace rill::datasets
