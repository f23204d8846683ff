// Brownian motion that can be evaluated at any time, in any order, and is always the same path.
#pragma once

#include <cstdint>
#include <vector>

#include "autodiff/tensor.hpp"

namespace rill::flow {

/// Paths W of independent Brownian motions, one for each number of a batch of points: W(start) = 0, and the increments
/// over disjoint intervals are independent and normal with the intervals' lengths as variances.
///
/// The value at the middle of an interval [a, b] follows from those at its ends, by Levy's construction:
///   W((a + b) / 2) = (W(a) + W(b)) / 2 + sqrt(b - a) / 2 z,    z standard normal
/// so a path is a binary tree of numbers z, each drawn from its own random stream; only the last visited branch is
/// stored (Li et al., "Scalable Gradients for Stochastic Differential Equations", 2020, section 4). The same seed gives
/// the same path for any sequence of times: coarse and fine steps see the same motion.
/// Times are rounded to 2^-24 of [start, end]. A step between neighbors of a grid of 2^k equal steps costs about one
/// normal number per coordinate; on another grid, up to 24.
class BrownianPath {
 public:
  /// Paths for points of the given shape [N, ...]. They are rows first_row to first_row + N of the paths of any larger
  /// batch with this seed, so that a batch can be split. Throws std::invalid_argument unless start < end and
  /// first_row >= 0, and for a scalar's shape.
  BrownianPath(std::uint64_t seed, const Shape& shape, double start = 0, double end = 1, Index first_row = 0);

  /// W(t), in the shape of the points. Throws std::invalid_argument for a time outside [start, end].
  Tensor at(double t);
  /// W(to) - W(from).
  Tensor increment(double from, double to);

  const Shape& shape() const& { return shape_; }
  const Shape& shape() const&& = delete;

 private:
  struct Interval {
    Index low, high;     // in units of 2^-24 of the whole
    std::uint64_t node;  // its number in the tree: 1 is the root, 2 n and 2 n + 1 are the halves of n
    Tensor at_low, at_high, at_middle;
  };
  Tensor normals(std::uint64_t node) const;

  std::uint64_t seed_;
  Shape shape_;
  double start_, end_;
  Index first_row_;
  std::vector<Interval> branch_;  // from the whole interval down to the one visited last
};

}  // namespace rill::flow
