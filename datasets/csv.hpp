// Tables of numbers as text.
#pragma once

#include <string>
#include <vector>

#include "autodiff/tensor.hpp"

namespace rill::datasets {

struct Csv {
  std::vector<std::string> names;  ///< of the columns, when the file has a header
  Tensor values;                   ///< [rows, columns]
};

/// Reads a table of numbers. The first line is a header when none of its fields is a number; a header of numbers, which
/// pandas writes for columns without names, would be taken for a row. The separator is the first of semicolon, tab and
/// comma that the first line has, else blanks. A point is the decimal mark. Blank lines and those that start with # are
/// skipped; lines may end in CR LF; blanks and double quotes around a field do not count.
/// Throws FileError with the line and the column, counted from 1, for a field that is empty, no number, NaN, infinite
/// or too large for a Real, for rows of different lengths, and for a file without rows or that is no text.
Csv read_csv(const std::string& path);

/// [rows, columns] as text, with commas, each number with the fewest digits that read back as the same Real, after a
/// header when there are names. Throws std::invalid_argument unless the tensor has rank 2 and, if there are any, as
/// many names as columns.
std::string to_csv(const Tensor& values, const std::vector<std::string>& names = {});

/// Writes to_csv() to a file, which appears all at once. Throws FileError too.
void write_csv(const std::string& path, const Tensor& values, const std::vector<std::string>& names = {});

}  // namespace rill::datasets
