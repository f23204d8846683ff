// A user's own points.
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

/// Points from a file, one a row: [n, d] with n, d >= 1. By its ending, in capitals or not, the file is a .npy array of
/// rank 2, or of rank 1 for one column, or text (.csv, .tsv, .txt) as read_csv() takes it. Throws FileError for other
/// endings, for what the readers reject, for an empty array and for a number that is not finite, naming its row and
/// column counted from 1.
Table read_table(const std::string& path);

}  // namespace rill::datasets
