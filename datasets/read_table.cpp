#include "datasets/read_table.hpp"

#include <cmath>
#include <filesystem>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/file.hpp"
#include "datasets/csv.hpp"
#include "datasets/npy.hpp"

namespace rill::datasets {
namespace {

/// How to convert a file of another format to one that can be read.
std::string advice_on(const std::string& ending) {
  if (ending == ".npz") return "; save only the array of points, with numpy.save";
  if (ending == ".gz" || ending == ".zip" || ending == ".xz" || ending == ".bz2") return "; unpack it";
  return "";
}

Table read_points(const std::string& path) {
  require_file(!std::filesystem::is_directory(path), path,
               "is a folder, expected a file of points (for a folder of images, use --data images --data-dir FOLDER)");
  const std::string ending = file_ending(path);
  if (ending == ".csv" || ending == ".tsv" || ending == ".txt") return read_csv(path);
  require_file(ending == ".npy", path, "the ending is \"", ending, "\", expected .npy, .csv, .tsv or .txt",
               advice_on(ending));
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
