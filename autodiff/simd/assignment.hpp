// The loops over the columns of an assignment problem (flow/transport/assignment.cpp), in double in every build.
#pragma once

#include "autodiff/real.hpp"

namespace rill::simd {

/// The assignment kernels take columns padded to a multiple of this: four of the widest registers.
inline constexpr Index kAssignmentBlock = 32;

/// One row of the costs of an assignment problem (flow/transport/assignment.cpp), against columns j = 0, 1, ...
///   cost_j = floats[j], or doubles[j], whichever pointer is not null; or, of y_j = points[j], points[stride + j], ...,
///            -sum_d point[d] y_j[d], or |point - y_j| if `distance`
struct CostRow {
  const float* floats = nullptr;
  const double* doubles = nullptr;
  const double* point = nullptr;
  const double* points = nullptr;
  Index dimension = 0, stride = 0;
  bool distance = false;
};

/// The least of some numbers, its first index, and the least of the others.
struct Least {
  double value;
  Index at;
  double next;
};

struct AssignmentKernels {
  // Assignment, in double in every build. n is a multiple of kAssignmentBlock; padding columns have the price
  // -infinity.
  /// price_j = min(price_j, cost_j - discount)
  void (*lower_prices)(const CostRow&, double discount, Index n, double* price) noexcept;
  /// The Least of cost_j - price_j.
  Least (*two_least)(const CostRow&, const double* price, Index n) noexcept;
  /// Where cost_j - price_j + base < distance_j, sets distance_j to it and from_j to `row`. Returns the least distance,
  /// with an infinite `next`.
  Least (*relax)(const CostRow&, const double* price, double base, double row, Index n, double* distance,
                 double* from) noexcept;
};

}  // namespace rill::simd

#ifdef RILL_REFERENCE
// In plain C++, one number at a time.
#include "autodiff/simd/reference-inl.hpp"

namespace rill::simd::scalar {
namespace {

double cost(const CostRow& row, Index j) {
  if (row.floats) return row.floats[j];
  if (row.doubles) return row.doubles[j];
  double product = 0, squared = 0;
  for (Index d = 0; d < row.dimension; ++d) {
    const double x = row.point[d], y = row.points[d * row.stride + j];
    product += x * y;
    squared += (x - y) * (x - y);
  }
  return row.distance ? std::sqrt(squared) : -product;
}

void lower_prices(const CostRow& row, double discount, Index n, double* price) noexcept {
  for (Index j = 0; j < n; ++j) price[j] = std::min(price[j], cost(row, j) - discount);
}

constexpr double kNone = std::numeric_limits<double>::infinity();

Least two_least(const CostRow& row, const double* price, Index n) noexcept {
  Least least{kNone, 0, kNone};
  for (Index j = 0; j < n; ++j) {
    const double x = cost(row, j) - price[j];
    least.next = std::min(least.next, std::max(least.value, x));
    if (x < least.value) least.value = x, least.at = j;
  }
  return least;
}

Least relax(const CostRow& row, const double* price, double base, double from_row, Index n, double* distance,
            double* from) noexcept {
  Least least{kNone, 0, kNone};
  for (Index j = 0; j < n; ++j) {
    const double through = cost(row, j) - price[j] + base;
    if (through < distance[j]) distance[j] = through, from[j] = from_row;
    if (distance[j] < least.value) least.value = distance[j], least.at = j;
  }
  return least;
}

}  // namespace

extern constinit const AssignmentKernels assignment_kernels = {
    .lower_prices = lower_prices,
    .two_least = two_least,
    .relax = relax,
};

}  // namespace rill::simd::scalar
#endif
