#include "datasets/standardization.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"

namespace rill::datasets {
namespace {

struct Column {
  double mean, deviation;
};

// In units of a power of two near the largest number, so that no square or sum overflows or underflows a double, and
// relative to the first number, so that an offset costs no digits.
Column measure(const Table& table, Index column) {
  double least = table.at(0, column), greatest = least;
  for (Index i = 1; i < table.rows; ++i) {
    least = std::min(least, table.at(i, column));
    greatest = std::max(greatest, table.at(i, column));
  }
  if (least == greatest) return {least, 1};
  const int exponent = std::ilogb(std::max(std::abs(least), std::abs(greatest))) + 1;
  const auto scaled = [&](Index row) { return std::scalbn(table.at(row, column), -exponent); };
  const double n = static_cast<double>(table.rows), first = scaled(0);
  double total = 0, squares = 0;
  for (Index i = 0; i < table.rows; ++i) total += scaled(i) - first;
  const double mean = first + total / n;
  for (Index i = 0; i < table.rows; ++i) squares += (scaled(i) - mean) * (scaled(i) - mean);
  const double deviation = std::scalbn(std::sqrt(squares / n), exponent);
  return {std::scalbn(mean, exponent), deviation > 0 ? deviation : 1};
}

}  // namespace

Standardization Standardization::of(const Table& table) {
  require(table.rows > 0 && table.columns > 0, "standardization: a table of ", table.rows, " rows and ", table.columns,
          " columns, expected at least one of each");
  Standardization result;
  for (Index column = 0; column < table.columns; ++column) {
    const Column found = measure(table, column);
    result.mean.push_back(found.mean);
    result.deviation.push_back(found.deviation);
  }
  return result;
}

Tensor Standardization::apply(const Table& x) const {
  require(x.columns == columns(), "standardization: a table of ", x.columns, " columns, expected ", columns());
  Tensor z = Tensor::empty({x.rows, x.columns});
  Real* to = z.data();
  for (Index row = 0; row < x.rows; ++row) {
    for (Index j = 0; j < x.columns; ++j) {
      const std::size_t column = static_cast<std::size_t>(j);
      // Halves, because the difference of two numbers may overflow a double.
      *to++ = static_cast<Real>((x.at(row, j) / 2 - mean[column] / 2) / (deviation[column] / 2));
    }
  }
  return z;
}

Table Standardization::invert(const Tensor& z) const {
  require(z.rank() == 2 && z.dim(1) == columns(), "standardization: expected [rows, ", columns(), "], got ", z.shape());
  Table x{z.dim(0), z.dim(1), {}, {}};
  x.values.reserve(static_cast<std::size_t>(z.size()));
  const Real* from = z.data();
  for (Index row = 0; row < x.rows; ++row) {
    for (std::size_t column = 0; column < mean.size(); ++column) {
      x.values.push_back(mean[column] + deviation[column] * static_cast<double>(*from++));
    }
  }
  return x;
}

double Standardization::log_volume() const {
  double total = 0;
  for (const double value : deviation) total += std::log(value);
  return total;
}

}  // namespace rill::datasets
