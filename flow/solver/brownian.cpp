#include "flow/solver/brownian.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random_streams.hpp"
#include "flow/solver/row_normals.hpp"

namespace rill::flow {
namespace {

constexpr Index kFinest = Index{1} << 24;  // as fine as a float can resolve times

}  // namespace

BrownianPath::BrownianPath(std::uint64_t seed, const Shape& shape, double start, double end, Index first_row)
    : seed_(seed), shape_(shape), start_(start), end_(end), first_row_(first_row) {
  require(shape.rank() >= 1, "Brownian path: expected points [N, ...], got a scalar's shape");
  require(start < end, "Brownian path: expected start < end, got ", start, " and ", end);
  require(first_row >= 0, "Brownian path: expected a first row of 0 or more, got ", first_row);
  const NoGrad no_grad;
  branch_.push_back({.low = 0,
                     .high = kFinest,
                     .node = 1,
                     .at_low = Tensor::zeros(shape),
                     .at_high = std::sqrt(end - start) * normals(0),
                     .at_middle = {}});
}

Tensor BrownianPath::normals(std::uint64_t node) const {
  return row_normals(seed_, streams::kBrownian + node, shape_, first_row_);
}

Tensor BrownianPath::at(double t) {
  require(start_ <= t && t <= end_, "Brownian path: time ", t, " is outside [", start_, ", ", end_, "]");
  const NoGrad no_grad;
  const double share = (t - start_) / (end_ - start_);
  const Index position = std::clamp<Index>(std::llround(share * static_cast<double>(kFinest)), 0, kFinest);
  while (position < branch_.back().low || branch_.back().high < position) branch_.pop_back();
  for (;;) {
    Interval& interval = branch_.back();
    if (position == interval.low) return interval.at_low;
    if (position == interval.high) return interval.at_high;
    const Index middle = (interval.low + interval.high) / 2;
    if (!interval.at_middle.defined()) {
      const double length =
          (end_ - start_) * static_cast<double>(interval.high - interval.low) / static_cast<double>(kFinest);
      interval.at_middle = 0.5 * (interval.at_low + interval.at_high) + std::sqrt(length) / 2 * normals(interval.node);
    }
    if (position < middle) {
      branch_.push_back({interval.low, middle, 2 * interval.node, interval.at_low, interval.at_middle, {}});
    } else {
      branch_.push_back({middle, interval.high, 2 * interval.node + 1, interval.at_middle, interval.at_high, {}});
    }
  }
}

Tensor BrownianPath::increment(double from, double to) {
  const Tensor before = at(from);
  const NoGrad no_grad;
  return at(to) - before;
}

}  // namespace rill::flow
