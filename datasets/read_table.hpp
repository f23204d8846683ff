// A user's own points, from a file.
#pragma once

#include <string>

#include "datasets/table.hpp"

namespace rill::datasets {

/// Points from a file, one per row: [n, d] with n, d >= 1. Depending on its extension, in upper or lower case, the file
/// is a .npy array of rank 2, or of rank 1 for one column, or text for read_csv() (.csv, .tsv, .txt). Throws FileError
/// for other extensions, for what the readers reject, for an empty array and for a number that is not finite, naming
/// its row and column, counted from 1.
Table read_table(const std::string& path);

}  // namespace rill::datasets
