#include "datasets/table.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <limits>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "datasets/csv.hpp"
#include "datasets/npy.hpp"

namespace rill::datasets {
namespace {

Tensor read_points(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  if (ending == ".csv" || ending == ".tsv" || ending == ".txt") return read_csv(path).values;
  require_file(ending == ".npy", path, "the ending is \"", ending, "\", expected .npy, .csv, .tsv or .txt");
  const Tensor x = read_npy(path);
  require_file(x.rank() == 1 || x.rank() == 2, path, "holds an array of shape ", x.shape(),
               ", expected [points, dimensions]");
  return x.rank() == 1 ? reshape(x, {x.size(), 1}) : x;
}

}  // namespace

Tensor read_table(const std::string& path) {
  const Tensor x = read_points(path);
  require_file(x.size() > 0, path, "holds no points: its shape is ", x.shape());
  for (Index i = 0; i < x.size(); ++i) {
    require_file(std::isfinite(x.data()[i]), path, "row ", i / x.dim(1) + 1, ", column ", i % x.dim(1) + 1, " is ",
                 x.data()[i], ", expected a finite number");
  }
  return x;
}

Standardization Standardization::of(const Tensor& x) {
  require(x.rank() == 2 && x.size() > 0, "standardization: expected points of shape [n, d], got ", x.shape());
  const Index n = x.dim(0), d = x.dim(1);
  Standardization result{Tensor::empty({d}), Tensor::empty({d})};
  for (Index j = 0; j < d; ++j) {
    double total = 0, squares = 0;
    for (Index i = 0; i < n; ++i) total += x.data()[i * d + j];
    const double mean = total / static_cast<double>(n);
    for (Index i = 0; i < n; ++i) squares += std::pow(x.data()[i * d + j] - mean, 2);
    // Rounding leaves a constant column a deviation that is not quite 0.
    const double deviation = std::sqrt(squares / static_cast<double>(n));
    const bool constant = deviation <= std::numeric_limits<Real>::epsilon() * std::abs(mean);
    result.mean.data()[j] = static_cast<Real>(mean);
    result.deviation.data()[j] = constant ? Real{1} : static_cast<Real>(deviation);
  }
  return result;
}

Tensor Standardization::apply(const Tensor& x) const { return (x - mean) / deviation; }

Tensor Standardization::invert(const Tensor& z) const { return mean + deviation * z; }

double Standardization::log_volume() const {
  double total = 0;
  for (const Real value : deviation.values()) total += std::log(static_cast<double>(value));
  return total;
}

}  // namespace rill::datasets
