// Tables of numbers as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "autodiff/tensor.hpp"
#include "datasets/table.hpp"

namespace rill::datasets {

/// Reads a table of numbers in UTF-8. The first line is a header when none of its fields is a number, or when they are
/// an empty one and 0, 1, 2, ..., which pandas writes for an index and columns without names; any other header of
/// numbers would be taken for a row. The separator is the first of semicolon, tab and comma that the first line has
/// outside quotes, else blanks and tabs; a line "sep=;" before it, as for Excel, names another. A point is the decimal
/// mark.
/// Fields may stand in double quotes, in which separators and ends of lines mean nothing and two quotes one (RFC 4180).
/// Blank lines and those that start with # are skipped; lines end in LF, CR LF or CR; blanks around a field do not
/// count, nor does a byte order mark. A first column of whole numbers without a name under a header is an index, as pandas
/// and R write it, of all rows or of some in any order, and left out; so are several, before columns with names. Throws FileError with the line and the column, counted from 1, for a field that is
/// empty, no number, NaN, infinite or too large for a double, for quotes that do not close, for rows of different
/// lengths, and for a file without rows or that is no text.
Table read_csv(const std::string& path);
/// The same for text in memory, which messages call `name`.
Table parse_csv(std::string_view text, const std::string& name);

/// [rows, columns] as text, with commas, each number with the fewest digits that read back as the same Real, after a
/// header when there are names. Throws std::invalid_argument unless the tensor has rank 2 and, if there are any, as
/// many names as columns.
std::string to_csv(const Tensor& values, const std::vector<std::string>& names = {});
/// A table likewise, under its names; its numbers read back as the same doubles.
std::string to_csv(const Table& table);

}  // namespace rill::datasets
