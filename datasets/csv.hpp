// Tables of numbers as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "autodiff/tensor.hpp"
#include "datasets/table.hpp"

namespace rill::datasets {

/// Reads a table of numbers in UTF-8. The first line is a header if none of its fields is a number, or if they are
/// an empty field and 0, 1, 2, ..., as pandas writes for an index and unnamed columns; any other header of numbers
/// would be taken for a row. The separator is the first of semicolon, tab and comma that the first line contains
/// outside quotes, else spaces and tabs; a line "sep=;" before it, as for Excel, sets another. The decimal separator is
/// a point.
/// Fields may be in double quotes, within which separators and ends of lines are literal and two quotes are one (RFC
/// 4180). Blank lines and those that start with # are skipped; lines end in LF, CR LF or CR; spaces around a field and
/// a byte order mark are ignored. If there is a header, unnamed first columns of whole numbers are an index of the
/// rows, as pandas and R write it, and left out. Throws FileError with the line and the column, counted from 1, for a
/// field that is empty, not a number, NaN, infinite or too large for a double, for quotes that do not close, for rows
/// of different lengths, and for a file without rows or that is not text.
Table read_csv(const std::string& path);
/// The same for text in memory; messages call it `name`.
Table parse_csv(std::string_view text, const std::string& name);

/// [rows, columns] as text, separated by commas, each number with the fewest digits that read back as the same Real,
/// after a header if there are names. Throws std::invalid_argument unless the tensor has rank 2 and the number of names
/// is 0 or the number of columns.
std::string to_csv(const Tensor& values, const std::vector<std::string>& names = {});
/// The same for a table and its names; its numbers read back as the same doubles.
std::string to_csv(const Table& table);

}  // namespace rill::datasets
