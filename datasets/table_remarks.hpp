// What a user should know about a table before training on it.
#pragma once

#include <string>
#include <vector>

#include "datasets/standardization.hpp"
#include "datasets/table.hpp"

namespace rill::datasets {

/// One sentence on each thing that may not be what was meant, saying what happens and what to do: an index that was
/// left out; a first row that may be a header; constant columns; columns that repeat another one in any units, a x + b.
/// Columns are named by their number in the file, counted from 1, and their name. Throws std::invalid_argument unless
/// the standardization is the table's own.
std::vector<std::string> remarks(const Table& table, const Standardization& units);

}  // namespace rill::datasets
