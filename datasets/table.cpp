#include "datasets/table.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <utility>

#include "autodiff/error.hpp"
#include "datasets/csv.hpp"
#include "datasets/npy.hpp"

namespace rill::datasets {
namespace {

Table read_points(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  if (ending == ".csv" || ending == ".tsv" || ending == ".txt") return read_csv(path);
  require_file(ending == ".npy", path, "the ending is \"", ending, "\", expected .npy, .csv, .tsv or .txt");
  NpyArray array = read_npy(path);
  const int rank = array.shape.rank();
  require_file(rank == 1 || rank == 2, path, "holds an array of shape ", array.shape,
               ", expected [points, dimensions]");
  require_file(!array.values.empty(), path, "holds no points: its shape is ", array.shape);
  return {array.shape[0], rank == 1 ? 1 : array.shape[1], std::move(array.values), {}};
}

}  // namespace

Table read_table(const std::string& path) {
  Table table = read_points(path);
  for (Index row = 0; row < table.rows; ++row) {
    for (Index column = 0; column < table.columns; ++column) {
      require_file(std::isfinite(table.at(row, column)), path, "row ", row + 1, ", column ", column + 1, " is ",
                   table.at(row, column), ", expected a finite number");
    }
  }
  return table;
}

}  // namespace rill::datasets
